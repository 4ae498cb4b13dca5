"""The cost of a request in process, step by step, on one CPU and without HTTP.

``python -m benchmarks.profile.step_costs MODELS NAME PATH HEADERS ROWS < BODY`` runs in the serving
environment, in a process of its own, and prints microseconds of CPU time per request as JSON.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from benchmarks import ROOT, SERVING
from benchmarks.errors import BenchmarkError

if TYPE_CHECKING:  # the process that measures is in the serving environment, which lacks them
    from benchmarks.load.protocols import Request

REPEATS = 5
SECONDS = 0.1  # of each repeat of a step


@dataclass(frozen=True)
class Steps:
    """Microseconds of CPU time per request."""

    parse: float
    by_simdjson: float
    """Parsing without the number kernel; not part of the whole."""
    run: float
    render: float
    whole: float
    """All three, called as the server does."""

    @property
    def rest(self) -> float:
        """What the whole takes beyond its steps: combining requests, checks and clocks."""
        return self.whole - self.parse - self.run - self.render


def measure(models: Path, name: str, request: "Request", rows: int) -> Steps:
    """Measure one request in a new process: the median of five repeats of each step.

    Raises:
        BenchmarkError: the request is refused, or has another number of rows.

    """
    headers = json.dumps(dict(request.headers))
    words = [str(models.resolve()), name, request.path, headers, str(rows)]
    done = subprocess.run(
        [str(SERVING), "-m", "benchmarks.profile.step_costs", *words],
        cwd=ROOT,
        input=request.body,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it printed nothing"]
        raise BenchmarkError(f"{request.path} in process: {lines[-1]}")
    return Steps(**json.loads(done.stdout))


def _measure(models: str, name: str, path: str, headers: str, rows: str) -> dict[str, float]:
    from serve import command_line
    from serve.api import routes
    from serve.inference.batching import Batcher
    from serve.inference.inference_job import InferenceJob
    from serve.models import catalog, malloc
    from serve.protocols.number_kernel import extract

    body = sys.stdin.buffer.read()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    malloc.tune()
    chosen = command_line.load(["--models", models, "--default-model", name], {})
    inference = Batcher(chosen)
    model = catalog.load(chosen).find()
    protocol = routes.protocol_of(path)
    given = {key.upper().replace("-", "_"): text for key, text in json.loads(headers).items()}
    parsed = protocol.parse(body, given, model.spec, chosen.max_rows)
    outputs = model.run(parsed.inputs)

    def parse() -> None:
        protocol.parse(body, given, model.spec, chosen.max_rows)

    def whole() -> None:
        answer = inference.respond(InferenceJob(protocol, body, given, model=model))
        if answer.status != 200:
            raise SystemExit(f"the request is refused: {answer.body!r}")

    if parsed.rows != int(rows):
        raise SystemExit(f"{parsed.rows} rows were parsed instead of {rows}")
    with mock.patch.object(extract, "compiled", no_kernel):
        by_simdjson = cost(parse)
    return {
        "parse": cost(parse),
        "by_simdjson": by_simdjson,
        "run": cost(lambda: model.run(parsed.inputs)),
        "render": cost(lambda: protocol.render(parsed, outputs, model.spec)),
        "whole": cost(whole),
    }


def no_kernel() -> None:
    """In place of a mock, which would take longer than what is measured."""


def cost(step: Callable[[], object]) -> float:
    """Microseconds of CPU time of a step: the median of five repeats."""
    step()
    repeats = []
    for _ in range(REPEATS):
        count, until, began = 0, time.monotonic() + SECONDS, time.process_time()
        while not count or time.monotonic() < until:
            step()
            count += 1
        repeats.append((time.process_time() - began) / count * 1e6)
    return statistics.median(repeats)


if __name__ == "__main__":
    print(json.dumps(_measure(*sys.argv[1:])))
