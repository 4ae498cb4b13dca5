"""One event loop that polls, and works off what the poll brought.

In waitress as it comes, an event-loop thread and its task threads take the GIL from each other
at every request. Here the loop itself answers: first whatever is quick (health, refusals), then
inference for a while, then the next poll. So the server sees who comes, and can say no, also
while it has much to do. Only with ``--threads`` is inference handed to threads.
"""

import math
import time
from collections import deque
from typing import Any

from waitress import wasyncore

from serve import routes
from serve.admission import Admission
from serve.channel import Channel
from serve.errors import Busy
from serve.inference import Inference
from serve.job import Job
from serve.observer import Observer
from serve.repository import Repository
from serve.routes import INFER, LOAD, UNLOAD
from serve.threads import Threads

INFERENCE_SECONDS = 0.01  # between two polls, and at most one run more


class Loop:
    """A waitress task dispatcher that queues, and the loop that works the queue off."""

    def __init__(
        self,
        inference: Inference,
        admission: Admission,
        repository: Repository,
        observer: Observer,
        threads: int,
    ) -> None:
        self._inference = inference
        self._admission = admission
        self._repository = repository
        self._observer = observer
        self._threads = Threads(threads, self._infer) if threads else None
        self._arrived: deque[Channel] = deque()
        self._asking: dict[Job, Channel] = {}
        self._parked: dict[Job, Channel] = {}

    def add_task(self, channel: Channel) -> None:
        """Queue a channel that has a request; its lock is held, so nothing runs here."""
        self._arrived.append(channel)

    def shutdown(self) -> None:
        """Nothing to end: threads end with the process."""

    def turn(self, sockets: dict[int, Any], timeout: float) -> None:
        """Wait for something to happen, at most ``timeout`` seconds, and work it off."""
        # In whole milliseconds: poll2 would make 0 of less, and be called again and again.
        wasyncore.poll2(math.ceil(min(timeout, self._pause()) * 1000) / 1000, sockets)
        for _ in range(len(self._arrived)):
            self._take_in(self._arrived.popleft())
        self._observer.in_flight(len(self._asking))
        if self._threads:
            if self._admission.due_in() == 0:
                self._threads.wake(len(self._admission.waiting))
        else:
            until = time.monotonic() + INFERENCE_SECONDS
            while self._admission.due_in() == 0 and time.monotonic() < until:
                self._infer()
            self._observer.in_flight(len(self._asking))
        self._observer.flush()

    def _pause(self) -> float:
        """How long nothing needs to be done unless something happens."""
        if self._arrived:
            return 0
        if self._threads and self._threads.asked:
            return float("inf")  # until a thread has done its round, and wakes the loop
        return self._admission.due_in()

    def _take_in(self, channel: Channel) -> None:
        """Queue a request for inference; serve any other, and a refusal, at once."""
        operation = channel.operation
        if operation == INFER:
            waits = self._queue(channel)
        elif operation in (LOAD, UNLOAD):
            waits = self._park(channel)
        else:
            waits = False
        if not waits:
            channel.service()

    def _queue(self, channel: Channel) -> bool:
        """Have a request wait for inference; False where it is refused, and has its answer."""
        job, parameters = _job(channel)
        if channel.surplus:
            job.refuse(Busy("connections", "too many connections"))
            return False
        self._asking[job] = channel  # before a thread may answer it
        query = channel.requests[0].query
        if self._admission.queue(job, **routes.asked(parameters, query)):
            return True
        del self._asking[job]
        return False

    def _park(self, channel: Channel) -> bool:
        """Have a request wait for the supervisor; False where it is refused."""
        job, parameters = _job(channel)
        if not self._repository.ask(job, channel.operation, **parameters):
            return False
        self._parked[job] = channel
        return True

    def finish(self, job: Job) -> None:
        """Send the answer of a request that waited for the supervisor."""
        self._parked.pop(job).service()

    def _infer(self) -> None:
        """Answer the requests of one run."""
        for job in self._inference.answer_next(self._admission.waiting):
            self._asking.pop(job).service()


def _job(channel: Channel) -> tuple[Job, dict[str, str]]:
    """The job of a request that is answered past Flask, and the parameters in its path."""
    request = channel.requests[0]
    route, parameters = request.route
    request.job = Job(route.dialect, request.take_body(), request.headers, channel.gone)
    return request.job, parameters
