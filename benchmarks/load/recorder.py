"""Keeps what Locust's requests took, in each of its processes, and brings it together.

With ``--processes`` or on several machines the workers send what they have every few seconds, as
Locust's own statistics are sent.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from benchmarks.load import percentile
from benchmarks.load.tally import SLICE_SECONDS, Busy, Record, Tally

_KEY = "onnxlet"  # within the reports of workers


class Recorder:
    """Listens from the start of a test to its end; what comes within the warm-up is not counted.

    Args:
        environment: Locust's, with our options.

    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._record = Record()
        self._opened = self._closed = 0.0
        self._cpu = 0.0
        events = environment.events
        events.test_start.add_listener(self._start)
        events.spawning_complete.add_listener(self._spawned)
        events.test_stopping.add_listener(self._stop)
        events.request.add_listener(self._take)
        events.report_to_master.add_listener(self._report)
        events.worker_report.add_listener(self._gather)
        events.quitting.add_listener(self._finish)

    def _start(self, **_: Any) -> None:
        options = self._environment.parsed_options
        self._record = Record()
        self._opens = time.perf_counter() + options.warm_up
        self._opened = self._closed = 0.0

    def _spawned(self, **_: Any) -> None:
        """All users are there, those of all workers too: what is left is the time to measure."""
        options, runner = self._environment.parsed_options, self._environment.runner
        if options.measure and not isinstance(runner, WorkerRunner):
            gevent.spawn_later(options.warm_up + options.measure, runner.quit)

    def _stop(self, **_: Any) -> None:
        self._note()
        self._closed = time.perf_counter()

    def _take(
        self, name: str, response_time: float, exception: Any, context: Mapping[str, Any], **_: Any
    ) -> None:
        now = time.perf_counter()
        if exception is not None:
            self._record.errors[str(exception)] += 1
        if "rows" not in context or now < self._opens:
            return
        if not self._opened:
            self._opened, self._opened_at = now, time.time()
            self._cpu = time.process_time()
        began = context.get("scheduled", now - response_time / 1000)
        if began < self._opens:
            return
        tally = self._record.tallies.get(name)
        if tally is None:
            tally = self._record.tallies[name] = Tally(context["rows"])
        slice_ = int((now - self._opens) / SLICE_SECONDS)
        tally.add(response_time / 1000, slice_, right=exception is None)

    def _note(self) -> None:
        """Note how busy this process was, as long as the test is on."""
        runner = self._environment.runner
        if isinstance(runner, MasterRunner) or not self._opened or self._closed:
            return
        name = runner.client_id if isinstance(runner, WorkerRunner) else "alone"
        spent = time.process_time() - self._cpu
        self._record.processes[name] = Busy(self._opened_at, time.time(), spent)

    def _report(self, data: dict[str, Any], **_: Any) -> None:
        self._note()
        data[_KEY] = self._record.to_json()
        self._record = Record()

    def _gather(self, data: Mapping[str, Any], **_: Any) -> None:
        if _KEY in data:
            self._record.merge(Record.from_json(data[_KEY]))

    def _finish(self, **_: Any) -> None:
        if isinstance(self._environment.runner, WorkerRunner):
            return
        options = self._environment.parsed_options
        if options.record:
            Path(options.record).write_text(json.dumps(self._record.to_json()))
        print(percentile.text(self._record.tallies), flush=True)
