"""wrk, the load generator for peaks: keep-alive connections, each sending as fast as it can."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from benchmarks.errors import BenchmarkError
from benchmarks.system import affinity

_SCRIPT = """
local file = io.open(%(body)r, "rb")
wrk.method = "POST"
wrk.body = file:read("*all")
file:close()
%(headers)s
%(delay)s
done = function(summary, latency, requests)
  local e = summary.errors
  local form = '\\n{"requests": %%d, "microseconds": %%d, "errors": %%d, "refused": %%d,'
    .. ' "p50": %%d, "p99": %%d}\\n'
  local failed = e.connect + e.read + e.write + e.timeout
  io.write(string.format(form, summary.requests, summary.duration, failed + e.status, e.status,
    latency:percentile(50), latency:percentile(99)))
end
"""


_ANSWER_SECONDS = 60  # slow is not failed


class WrkMissingError(BenchmarkError):
    """wrk is not installed."""


@dataclass(frozen=True)
class Load:
    """What one run of wrk measured."""

    requests: int
    seconds: float
    errors: int
    """Answers of another status than 2xx or 3xx, and failed connections, reads and writes."""
    refused: int
    """Those of them that had another status."""
    p50: float
    """Milliseconds; likewise p99."""
    p99: float


def run(
    url: str,
    body: bytes,
    connections: int,
    seconds: float,
    headers: Mapping[str, str] = MappingProxyType({}),
    cpus: tuple[int, ...] = (),
    pause: float = 0,
) -> Load:
    """Send ``body`` over ``connections`` for whole ``seconds``, from one thread.

    Args:
        url: where to.
        body: of each request.
        connections: that are kept open.
        seconds: whole ones.
        headers: beside ``Content-Type: application/json``.
        cpus: that wrk may use; all of this process's where there are none.
        pause: seconds of each connection between an answer and the next request.

    Raises:
        BenchmarkError: wrk is missing, or could not send.

    """
    program = shutil.which("wrk")
    if program is None:
        raise WrkMissingError("wrk is not installed; on Debian: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        payload, script = Path(folder, "body"), Path(folder, "script.lua")
        payload.write_bytes(body)
        sent = {"Content-Type": "application/json"} | dict(headers)
        lines = [f'wrk.headers["{name}"] = "{value}"' for name, value in sent.items()]
        delay = f"function delay() return {pause * 1000:.0f} end" if pause else ""
        parts = {"body": str(payload), "headers": "\n".join(lines), "delay": delay}
        script.write_text(_SCRIPT % parts)
        command = [program, "-t1", f"-c{connections}", f"-d{seconds:.0f}s"]
        command += ["--timeout", f"{_ANSWER_SECONDS}s", "-s", str(script), url]
        command = affinity.pinned(command, cpus) if cpus else command
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"wrk {url}: {done.stderr.strip() or done.stdout.strip()}")
    result = json.loads(done.stdout.strip().splitlines()[-1])
    if not result["requests"]:
        raise BenchmarkError(f"wrk {url}: nothing was answered within {seconds:g} s")
    return Load(
        requests=result["requests"],
        seconds=result["microseconds"] / 1e6,
        errors=result["errors"],
        refused=result["refused"],
        p50=result["p50"] / 1e3,
        p99=result["p99"] / 1e3,
    )
