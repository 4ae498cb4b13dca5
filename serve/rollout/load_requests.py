"""Requests to load or unload a model, as the supervisor deals with them."""

import time
from dataclasses import dataclass

from serve.processes.messages import MessageKind
from serve.processes.worker_process import WorkerProcess
from serve.rollout.rollout import Rollout

TIMEOUT_SECONDS = 180.0  # after which one is answered, whatever has come
_ENDING = "the server is about to end"


@dataclass(frozen=True)
class _LoadRequest:
    """One request, which waits until all workers have followed."""

    worker: WorkerProcess
    request: str
    """The worker's number for it."""
    name: str
    """Of the model."""
    loads: bool
    look: int
    """The look at the repository that it waits for."""
    until: float

    def respond(self, status: int, why: str = "") -> bool:
        """Tell the worker; False where it does not listen."""
        return self.worker.control.send(MessageKind.LOAD_DONE, f"{self.request} {status} {why}")


class LoadRequests:
    """Those that are not answered as yet."""

    def __init__(self, rollout: Rollout) -> None:
        self._rollout = rollout
        self._registry = rollout.policy
        self._watch = rollout.watch
        self._waiting: list[_LoadRequest] = []
        self._ending = False

    def take(self, worker: WorkerProcess, kind: MessageKind, text: str) -> None:
        """Do what a worker's message asks for; it is answered later."""
        request, name = text.split(" ", 1)
        loads = kind is MessageKind.LOAD
        look = self._watch.request_scan() if loads else 0
        order = _LoadRequest(worker, request, name, loads, look, time.monotonic() + TIMEOUT_SECONDS)
        if self._ending:
            order.respond(503, _ENDING)
            return
        if loads:
            self._registry.load(name)
        elif self._registry.has_model(name):
            self._registry.unload(name)
        self._waiting.append(order)

    def settle(self) -> None:
        """Answer those of which it is known what came of them."""
        self._waiting = [order for order in self._waiting if not self._settle(order)]

    def end(self) -> None:
        """Answer all, and those that still come, that nothing more is done."""
        self._ending = True
        for order in self._waiting:
            order.respond(503, _ENDING)
        self._waiting.clear()

    def _settle(self, order: _LoadRequest) -> bool:
        """Answer one; False where it is too early, or its worker does not listen."""
        if not self._rollout.is_alive(order.worker):
            return True
        late = self._rollout.workers_behind()
        trouble = next((worker.trouble for worker in late if worker.trouble), "")
        if trouble or time.monotonic() > order.until:
            why = trouble or self._watch.problem or "it takes too long"
            return order.respond(503, f"not all workers have followed: {why}")
        if late or not self._rollout.is_published:
            return False
        if order.loads and (
            self._watch.last_scan < order.look or self._rollout.is_validating_model(order.name)
        ):
            return False
        return order.respond(*self._outcome(order))

    def _outcome(self, order: _LoadRequest) -> tuple[int, str]:
        planned = self._rollout.plan.models.get(order.name)
        if planned is None:
            known = not order.loads and self._registry.has_model(order.name)
            return (200, "") if known else (404, f"no model {order.name!r} in the repository")
        if not order.loads:
            return 200, ""
        newest = max(planned.versions, default=0)
        why = self._watch.problem or planned.reason(newest) or planned.problem
        return (503, why) if why else (200, "")
