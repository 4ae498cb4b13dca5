"""Requests run on the event loop itself, with no thread to hand them to.

In waitress as it comes, an event-loop thread and its task threads take the GIL from each other
at every request. Here one thread polls, then works off what the poll brought: first whatever is
quick (health, refusals), then inference for a while, then the next poll. So the server sees who
comes, and can say no, also while it has much to do.
"""

import time
from collections import deque
from typing import Any

from waitress import wasyncore

from serve.admission import Admission
from serve.channel import Channel
from serve.errors import Busy
from serve.inference import PATH, Inference
from serve.job import Job, refusal
from serve.observer import Observer

INFERENCE_SECONDS = 0.01  # between two polls, and at most one run more


class Loop:
    """A waitress task dispatcher that queues, and the loop that works the queue off."""

    def __init__(self, inference: Inference, admission: Admission, observer: Observer) -> None:
        self._inference = inference
        self._admission = admission
        self._observer = observer
        self._arrived: deque[Channel] = deque()
        self._asking: dict[Job, Channel] = {}

    def add_task(self, channel: Channel) -> None:
        """Queue a channel that has a request; its lock is held, so nothing runs here."""
        self._arrived.append(channel)

    def shutdown(self) -> None:
        """Nothing to end: there are no threads."""

    def turn(self, sockets: dict[int, Any], timeout: float) -> None:
        """Wait for something to happen, at most ``timeout`` seconds, and work it off."""
        waiting = self._admission.waiting
        wasyncore.poll2(0 if self._arrived or waiting else timeout, sockets)
        for _ in range(len(self._arrived)):
            self._take_in(self._arrived.popleft())
        self._observer.in_flight(len(self._asking))
        until = time.monotonic() + INFERENCE_SECONDS
        while waiting and time.monotonic() < until:
            for job in self._inference.answer_next(waiting):
                self._asking.pop(job).service()
        self._observer.in_flight(len(self._asking))
        self._observer.flush()

    def _take_in(self, channel: Channel) -> None:
        """Queue a request for inference; serve any other, and a refusal, at once."""
        if channel.asks_for(PATH):
            request = channel.requests[0]
            job = Job(request.take_body(), channel.gone)
            request.job = job
            if channel.surplus:
                job.answer = refusal(Busy("connections", "too many connections"))
            elif self._admission.queue(job, request.headers):
                self._asking[job] = channel
                return
        channel.service()
