"""What the same requests cost when they come over HTTP."""

from benchmarks.load import wrk
from benchmarks.load.protocols import Request
from benchmarks.load.rounds import FailedRequestsError
from benchmarks.system import affinity
from benchmarks.system.servers import Server

CONNECTIONS = 1  # so that no run is shared, and nothing waits


def measure(server: Server, request: Request, seconds: float) -> float:
    """Microseconds of the server's CPU time per request."""
    url, cpus = server.base + request.path, affinity.halves().generator
    wrk.run(url, request.body, CONNECTIONS, 1, request.headers, cpus)  # warm up
    before = sum(server.cpu_seconds().values())
    load = wrk.run(url, request.body, CONNECTIONS, seconds, request.headers, cpus)
    spent = sum(server.cpu_seconds().values()) - before
    if load.errors:
        raise FailedRequestsError(f"{request.path}: {load.errors} requests failed")
    return spent / load.requests * 1e6
