"""Sends a prepared request once, before a load that does not check each answer."""

from urllib.error import HTTPError
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from benchmarks.errors import BenchmarkError
from benchmarks.load.prepared_request import PreparedRequest

_TIMEOUT = 60  # seconds


def check(base: str, prepared: PreparedRequest, server: str = "the server") -> None:
    """Send it to the server at ``base``.

    Raises:
        BenchmarkError: the answer is not the correct one.

    """
    wanted = prepared.request
    request = HttpRequest(base + wanted.path, wanted.body, dict(wanted.headers))  # noqa: S310
    try:
        with urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            fault = prepared.fault(answer.read())
    except HTTPError as error:
        with error:
            fault = f"{error.code}: {error.read(300).decode(errors='replace')}"
    except OSError as error:
        fault = str(error)
    if fault:
        raise BenchmarkError(
            f"{server} answers {wanted.path} ({prepared.name}) wrongly: {fault}. It must serve the"
            f" version of {prepared.model.name} whose golden rows are sent, as its default model"
            " where the path names none."
        )
