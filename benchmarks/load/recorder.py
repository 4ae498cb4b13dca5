"""Records the requests of each of Locust's processes, and merges the records.

With ``--processes`` or on several machines, workers send what they have recorded every few seconds,
as they send Locust's own statistics; once more when the window closes; and again when their users
have ended.
"""

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gevent
from locust.env import Environment
from locust.rpc import Message
from locust.runners import MasterRunner, WorkerRunner

from benchmarks.load import percentiles
from benchmarks.load.stats import LoadStats, ProcessUsage, RequestStats

_KEY = "onnxlet"  # of the reports and last messages of workers
_OPENED = "onnxlet-opened"  # message of a worker whose window has opened
_OPEN_SECONDS = 30.0  # that a master waits for these messages


class Recorder:
    """Records what happens in the window of a test, which opens when the warm-up is over.

    The latency of a request counts if it began within the window, even if the answer came after
    it. A rate counts what was answered within the window.

    Args:
        environment: Locust's, with our options.

    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._file = environment.parsed_options.record  # once: Locust's pages can set options
        self._window: gevent.Greenlet | None = None
        self._start()
        events = environment.events
        events.test_start.add_listener(self._start)
        events.spawning_complete.add_listener(self._spawned)
        events.test_stopping.add_listener(self._stop)
        events.request.add_listener(self._take)
        events.report_to_master.add_listener(self._report)
        events.worker_report.add_listener(self._gather)
        events.test_stop.add_listener(self._hand_over)
        events.quitting.add_listener(self._hand_over)  # before Locust tells its master
        if isinstance(environment.runner, MasterRunner):
            environment.runner.register_message(_KEY, self._gather_last)
            environment.runner.register_message(_OPENED, self._worker_opened)
        events.quit.add_listener(self._finish)

    def _start(self, **_: Any) -> None:
        self._end_timer()
        self._stats = LoadStats()
        self._opens = self._closes = math.inf
        self._open_workers = 0
        self._opened_at = self._cpu = 0.0

    def _spawned(self, **_: Any) -> None:
        if self._window is None:  # else somebody has changed the number of users
            self._window = gevent.spawn(self._timer)

    def _timer(self) -> None:
        """Open the window, and end the test after it; workers hear of that from their master.

        With Locust's pages only the test ends, without them Locust does.
        """
        options, runner = self._environment.parsed_options, self._environment.runner
        gevent.sleep(options.warm_up)
        # A timer may fire early by as long as the loop was busy before, so the window opens now.
        self._opens = time.perf_counter()
        self._opened_at, self._cpu = time.time(), time.process_time()
        if isinstance(runner, WorkerRunner):
            runner.send_message(_OPENED)
        if not options.measure or isinstance(runner, WorkerRunner):
            return
        if isinstance(runner, MasterRunner):
            self._await_workers(runner)
        gevent.sleep(options.measure)
        if isinstance(runner, MasterRunner) or self._environment.web_ui:
            runner.stop()  # returns when it has heard from all workers
        if not self._environment.web_ui:
            runner.quit()

    def _await_workers(self, runner: MasterRunner) -> None:
        """Wait until the windows of all workers are open; some are late on a busy machine."""
        until = time.monotonic() + _OPEN_SECONDS
        while self._open_workers < runner.worker_count and time.monotonic() < until:
            gevent.sleep(0.05)

    def _worker_opened(self, **_: Any) -> None:
        self._open_workers += 1

    def _stop(self, **_: Any) -> None:
        self._note_usage()
        self._closes = time.perf_counter()
        self._end_timer()
        self._hand_over()  # now, for a master that quits does not wait for the users' last answers

    def _end_timer(self) -> None:
        if self._window is not None and self._window is not gevent.getcurrent():
            self._window.kill(block=False)
        self._window = None

    def _take(
        self, name: str, response_time: float, exception: Any, context: Mapping[str, Any], **_: Any
    ) -> None:
        now = time.perf_counter()
        if exception is not None:
            self._stats.errors[str(exception)] += 1
        if "rows" not in context or now < self._opens:
            return
        stats = self._stats.by_request.get(name)
        if stats is None:
            stats = self._stats.by_request[name] = RequestStats(context["rows"])
        if context.get("scheduled", now - response_time / 1000) >= self._opens:
            stats.add(response_time / 1000, correct=exception is None)
        if exception is None and now < self._closes:
            stats.answered += 1

    def _note_usage(self) -> None:
        """Note the CPU time of this process, as long as the window is open."""
        runner = self._environment.runner
        if isinstance(runner, MasterRunner) or not self._opened_at or self._closes < math.inf:
            return
        name = runner.client_id if isinstance(runner, WorkerRunner) else "alone"
        spent = time.process_time() - self._cpu
        self._stats.processes[name] = ProcessUsage(self._opened_at, time.time(), spent)

    def _report(self, data: dict[str, Any], **_: Any) -> None:
        data[_KEY] = self._taken()

    def _taken(self) -> dict[str, Any]:
        self._note_usage()
        taken, self._stats = self._stats.to_json(), LoadStats()
        return taken

    def _hand_over(self, **_: Any) -> None:
        runner = self._environment.runner
        if isinstance(runner, WorkerRunner):
            runner.send_message(_KEY, self._taken())

    def _gather_last(self, msg: Message, **_: Any) -> None:
        self._stats.merge(LoadStats.from_json(msg.data))

    def _gather(self, data: Mapping[str, Any], **_: Any) -> None:
        if _KEY in data:
            self._stats.merge(LoadStats.from_json(data[_KEY]))

    def _finish(self, **_: Any) -> None:
        if isinstance(self._environment.runner, WorkerRunner):
            return
        if self._stats.by_request:
            print(percentiles.table(self._stats.by_request), flush=True)
        else:
            print("nothing was recorded: no request began after the warm-up", flush=True)
        if self._file:
            Path(self._file).write_text(json.dumps(self._stats.to_json()))
