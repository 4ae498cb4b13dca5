"""``python -m serve health``: is the server on this machine ready? For container health checks."""

import http.client
import sys

from serve.settings import Settings

TIMEOUT_SECONDS = 4.0  # less than the 5 s of the image's health check
_LOCAL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nobody can connect to them


def health(settings: Settings) -> int:
    """Ask the server; returns 0 if it is ready, else prints the reason and returns 1."""
    host = _LOCAL.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=TIMEOUT_SECONDS)
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
