"""wrk, the load generator for peaks: connections that send as fast as they are answered."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from hdrh.histogram import HdrHistogram

from benchmarks.errors import BenchmarkError
from benchmarks.load.stats import GENERATOR_LIMIT, histogram
from benchmarks.system import affinity

_SCRIPT = """
wrk.method = "%(method)s"
local file = io.open("%(body)s", "rb")
wrk.body = file:read("*all")
file:close()
%(headers)s
%(delay)s
done = function(summary, latency, requests)
  local cpu = os.clock()  -- of all threads; read first, for what follows is no load
  local e = summary.errors
  local counts = {}
  for i = 1, #latency do
    local value, count = latency(i)
    counts[i] = string.format("[%%d,%%d]", value, count)
  end
  local form = '\\n{"requests": %%d, "microseconds": %%d, "failed": %%d, "refused": %%d,'
    .. ' "cpu": %%f, "counts": [%%s]}\\n'
  io.write(string.format(form, summary.requests, summary.duration,
    e.connect + e.read + e.write + e.timeout, e.status, cpu, table.concat(counts, ",")))
end
"""
_TIMEOUT = 60  # seconds: a slow answer has not failed


@dataclass(frozen=True)
class Load:
    """What one run of wrk measured."""

    requests: int
    """That were answered, with whatever status."""
    seconds: float
    failed: int
    """Connections, reads and writes that failed, or took too long."""
    refused: int
    """Answers with a status of 400 and more."""
    generator_share: float
    """CPU time of wrk, of the one CPU that its one thread can use."""
    latencies: HdrHistogram
    """In microseconds, of all answers."""

    @property
    def errors(self) -> int:
        """Requests without a good answer."""
        return self.failed + self.refused

    @property
    def accepted_rate(self) -> float:
        """Good answers per second."""
        return (self.requests - self.refused) / self.seconds

    @property
    def saturated(self) -> bool:
        """Whether wrk had no CPU left, so that its figures say little about the server."""
        return self.generator_share > GENERATOR_LIMIT


def run(
    url: str,
    body: bytes,
    connections: int,
    seconds: float,
    *,
    headers: Mapping[str, str] = MappingProxyType({}),
    method: str = "POST",
    cpus: tuple[int, ...] = (),
    pause: float = 0,
) -> Load:
    """Send ``body`` over ``connections`` from one thread.

    Args:
        url: where to.
        body: of each request.
        connections: that are kept open.
        seconds: rounded to whole ones.
        headers: added to ``Content-Type: application/json``.
        method: of the requests.
        cpus: that wrk may use; all of this process's if empty.
        pause: seconds of each connection between an answer and the next request.

    Raises:
        BenchmarkError: wrk is missing or could not send, or nothing was answered.

    """
    program = shutil.which("wrk")
    if program is None:
        raise BenchmarkError("wrk is not installed; on Debian: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        body_file, script = Path(folder, "body"), Path(folder, "script.lua")
        body_file.write_bytes(body)
        sent = {"Content-Type": "application/json"} | dict(headers)
        lines = [f'wrk.headers["{name}"] = "{value}"' for name, value in sent.items()]
        delay = f"function delay() return {pause * 1000:.0f} end" if pause else ""
        parts = {"method": method, "body": body_file, "headers": "\n".join(lines), "delay": delay}
        script.write_text(_SCRIPT % parts)
        command = [program, "-t1", f"-c{connections}", f"-d{seconds:.0f}s"]
        command += ["--timeout", f"{_TIMEOUT}s", "-s", str(script), url]
        command = affinity.pinned(command, cpus)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"wrk {url}: {done.stderr.strip() or done.stdout.strip()}")
    result = json.loads(done.stdout.strip().splitlines()[-1])
    if not result["requests"]:
        raise BenchmarkError(f"wrk {url}: nothing was answered within {seconds:g} s")
    return _load(result, connections)


def _load(result: Mapping[str, int], connections: int) -> Load:
    seconds = result["microseconds"] / 1e6
    interval = result["microseconds"] // max(result["requests"] // connections, 1)
    latencies = histogram()
    for value, count in uncorrected(dict(result["counts"]), interval).items():  # type: ignore[call-overload]
        latencies.record_value(max(value, 1), count)
    return Load(
        requests=result["requests"],
        seconds=seconds,
        failed=result["failed"],
        refused=result["refused"],
        generator_share=result["cpu"] / seconds,
        latencies=latencies,
    )


def uncorrected(counts: Mapping[int, int], interval: int) -> dict[int, int]:
    """Undo wrk's correction for "coordinated omission", which can't be turned off.

    wrk adds made-up latencies before it reports any: for each latency ``n`` also n - interval,
    n - 2 interval, …, as long as they are above the mean ``interval`` between two requests of a
    connection (``stats_correct`` in its stats.c). Latencies that were never measured would fill our
    percentiles, so this takes them out again, from the largest down.

    Args:
        counts: by latency in microseconds.
        interval: in microseconds, as wrk has computed it.

    """
    kept = dict(counts)
    for value in sorted(kept, reverse=True):
        for made_up in range(value - interval, interval, -interval):
            kept[made_up] -= kept[value]
    return {value: count for value, count in kept.items() if count > 0}
