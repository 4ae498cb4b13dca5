"""The in-process cost of an answer: parse, run and render on one CPU, with no HTTP at all.

Runs in the serving environment, in a process of its own: ``python -m benchmarks.limit MODELS
ROWS < BODY`` prints microseconds of CPU time per row.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from serve import catalog, memory, settings
from serve.answer import Answer
from serve.inference import Inference
from serve.job import Job
from serve.protocols import predict

ROOT = Path(__file__).parent.parent
SECONDS = 0.3


class Floor:
    """Measurements in microseconds a row, each the median of five repeats in a fresh process."""

    def __init__(self, models: Path, body: bytes, rows: int) -> None:
        python = str(ROOT / ".venv-serve/bin/python")
        self._command = [python, "-m", "benchmarks.limit", str(models), str(rows)]
        self._body = body
        self.measured: list[float] = []

    def measure(self) -> None:
        """Measure once more."""
        done = subprocess.run(
            self._command, cwd=ROOT, input=self._body, stdout=subprocess.PIPE, check=True
        )
        self.measured.append(float(json.loads(done.stdout)))


def _measure(models: str, rows: int) -> float:
    body = sys.stdin.buffer.read()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    memory.keep_freed()
    chosen = settings.load(["--models", models], {})
    inference = Inference(chosen)
    model = catalog.load(chosen).find()

    def answer() -> Answer:
        return inference.answer(Job(predict, body, {}, model=model))

    if answer().status != 200:
        raise SystemExit("the body is refused")
    repeats = []
    for _ in range(5):
        count, until, started = 0, time.monotonic() + SECONDS, time.process_time()
        while time.monotonic() < until:
            answer()
            count += 1
        repeats.append((time.process_time() - started) / count / rows * 1e6)
    return sorted(repeats)[2]


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], int(sys.argv[2]))))
