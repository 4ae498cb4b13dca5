"""Keeps what Locust's requests took, in each of its processes, and brings it together.

With ``--processes`` or on several machines the workers send what they have every few seconds, as
Locust's own statistics are sent, what is left when the window closes, and the last of it when their
users have ended.
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
from benchmarks.load.stats import SLICE_SECONDS, Busy, Record, Tally

_KEY = "onnxlet"  # within the reports of workers, and of their last message


class Recorder:
    """Listens to a test's window, which opens a warm-up after all users are there.

    What began within it has its latency kept, also where the answer comes after its end; what was
    answered within it counts for rates.

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
        events.quit.add_listener(self._finish)

    def _start(self, **_: Any) -> None:
        self._end_watch()
        self._record = Record()
        self._opens = self._closes = math.inf
        self._opened_at = self._cpu = 0.0

    def _spawned(self, **_: Any) -> None:
        if self._window is None:  # else somebody has changed the number of users
            self._window = gevent.spawn(self._watch)

    def _watch(self) -> None:
        """Open the window, and end the test with it; workers are told by their master.

        With Locust's pages the test alone ends, and without them Locust.
        """
        options, runner = self._environment.parsed_options, self._environment.runner
        gevent.sleep(options.warm_up)
        # Timers may be early by as long as the loop was busy before, so what is counted begins now.
        self._opens = time.perf_counter()
        self._opened_at, self._cpu = time.time(), time.process_time()
        if not options.measure or isinstance(runner, WorkerRunner):
            return
        gevent.sleep(options.measure)
        if isinstance(runner, MasterRunner) or self._environment.web_ui:
            runner.stop()  # returns when it has heard from all workers
        if not self._environment.web_ui:
            runner.quit()

    def _stop(self, **_: Any) -> None:
        self._note()
        self._closes = time.perf_counter()
        self._end_watch()
        self._hand_over()  # now, for a master that quits does not wait for the users' last answers

    def _end_watch(self) -> None:
        if self._window is not None and self._window is not gevent.getcurrent():
            self._window.kill(block=False)
        self._window = None

    def _take(
        self, name: str, response_time: float, exception: Any, context: Mapping[str, Any], **_: Any
    ) -> None:
        now = time.perf_counter()
        if exception is not None:
            self._record.errors[str(exception)] += 1
        if "rows" not in context or now < self._opens:
            return
        tally = self._record.tallies.get(name)
        if tally is None:
            tally = self._record.tallies[name] = Tally(context["rows"])
        if context.get("scheduled", now - response_time / 1000) >= self._opens:
            tally.add(response_time / 1000, right=exception is None)
        if exception is None and now < self._closes:
            tally.slices[int((now - self._opens) / SLICE_SECONDS)] += 1

    def _note(self) -> None:
        """Note how busy this process was, as long as the window is open."""
        runner = self._environment.runner
        if isinstance(runner, MasterRunner) or not self._opened_at or self._closes < math.inf:
            return
        name = runner.client_id if isinstance(runner, WorkerRunner) else "alone"
        spent = time.process_time() - self._cpu
        self._record.processes[name] = Busy(self._opened_at, time.time(), spent)

    def _report(self, data: dict[str, Any], **_: Any) -> None:
        data[_KEY] = self._taken()

    def _taken(self) -> dict[str, Any]:
        self._note()
        taken, self._record = self._record.to_json(), Record()
        return taken

    def _hand_over(self, **_: Any) -> None:
        runner = self._environment.runner
        if isinstance(runner, WorkerRunner):
            runner.send_message(_KEY, self._taken())

    def _gather_last(self, msg: Message, **_: Any) -> None:
        self._record.merge(Record.from_json(msg.data))

    def _gather(self, data: Mapping[str, Any], **_: Any) -> None:
        if _KEY in data:
            self._record.merge(Record.from_json(data[_KEY]))

    def _finish(self, **_: Any) -> None:
        if isinstance(self._environment.runner, WorkerRunner):
            return
        if self._record.tallies:
            print(percentiles.text(self._record.tallies), flush=True)
        else:
            print("nothing was recorded: no request began after the warm-up", flush=True)
        if self._file:
            Path(self._file).write_text(json.dumps(self._record.to_json()))
