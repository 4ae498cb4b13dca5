"""``python -m serve health``: is the server on this machine ready? A container asks so."""

import http.client
import sys

from serve.settings import Settings

SECONDS = 4.0  # less than a check may take
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - addresses that nobody can call


def health(settings: Settings) -> int:
    """Ask it; returns 0 where it is ready, else 1, and then says why."""
    host = _EVERYWHERE.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=SECONDS)
    try:
        connection.request("GET", "/v2/health/ready")
        response = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        print(f"serve: {host}:{settings.port} does not answer: {error}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        print(f"serve: not ready, status {response.status}", file=sys.stderr)
    return 0 if response.status == http.HTTPStatus.OK else 1
