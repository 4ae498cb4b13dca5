"""Requests run on the event loop itself, with no thread to hand them to.

In waitress as it comes, an event-loop thread and its task threads take the GIL from each other
at every request. Here one thread polls, then runs what the poll brought; requests for inference
that came together share a run of the model.
"""

from collections.abc import Sequence
from typing import Any

from waitress import wasyncore

from serve.channel import Channel
from serve.inference import Inference


class Loop:
    """A waitress task dispatcher that queues, and the loop that works the queue off."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference
        self._ready: list[Channel] = []

    def add_task(self, channel: Channel) -> None:
        """Queue a channel that has a request; its lock is held, so nothing runs here."""
        self._ready.append(channel)

    def shutdown(self) -> None:
        """Nothing to end: there are no threads."""

    def turn(self, sockets: dict[int, Any], timeout: float) -> None:
        """Wait for something to happen, at most ``timeout`` seconds, and work it off."""
        wasyncore.poll2(0 if self._ready else timeout, sockets)
        ready, self._ready = self._ready, []
        self._infer(ready)
        for channel in ready:
            channel.service()

    def _infer(self, ready: Sequence[Channel]) -> None:
        """Give each request for inference its answer; ``service`` then writes it."""
        asked = [
            (channel, body)
            for channel in ready
            if channel.connected and (body := channel.inference_body()) is not None
        ]
        answers = self._inference.answer_all([body for _, body in asked])
        for (channel, _), answer in zip(asked, answers, strict=True):
            channel.requests[0].answer = answer
