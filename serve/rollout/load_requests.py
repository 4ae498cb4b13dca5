"""Requests to load or unload a model, as the supervisor handles them."""

import time
from dataclasses import dataclass

from serve.processes.messages import MessageKind
from serve.processes.worker_process import WorkerProcess
from serve.rollout.rollout import Rollout

TIMEOUT_SECONDS = 180.0
_STOPPING = "the server is stopping"


@dataclass(frozen=True)
class _LoadRequest:
    """One request, which waits until all workers follow the new plan."""

    worker: WorkerProcess
    number: str
    """The worker's number for it."""
    name: str
    """Of the model."""
    is_load: bool
    scan: int
    """Number of the scan of the repository that it waits for."""
    until: float

    def respond(self, status: int, why: str = "") -> bool:
        """Tell the worker; False if it does not read."""
        return self.worker.control.send(MessageKind.LOAD_DONE, f"{self.number} {status} {why}")


class LoadRequests:
    """The requests that have no response yet."""

    def __init__(self, rollout: Rollout) -> None:
        self._rollout = rollout
        self._policy = rollout.policy
        self._watcher = rollout.watcher
        self._waiting: list[_LoadRequest] = []
        self._is_stopping = False

    def take(self, worker: WorkerProcess, kind: MessageKind, text: str) -> None:
        """Begin what a worker's message asks for; the response comes later."""
        number, name = text.split(" ", 1)
        is_load = kind is MessageKind.LOAD
        scan = self._watcher.request_scan() if is_load else 0
        until = time.monotonic() + TIMEOUT_SECONDS
        request = _LoadRequest(worker, number, name, is_load, scan, until)
        if self._is_stopping:
            request.respond(503, _STOPPING)
            return
        if is_load:
            self._policy.load(name)
        elif self._policy.has_model(name):
            self._policy.unload(name)
        self._waiting.append(request)

    def turn(self) -> None:
        """Respond to the requests whose outcome is known."""
        self._waiting = [request for request in self._waiting if not self._settle(request)]

    def stop(self) -> None:
        """Refuse all requests, and those that still come."""
        self._is_stopping = True
        for request in self._waiting:
            request.respond(503, _STOPPING)
        self._waiting.clear()

    def _settle(self, request: _LoadRequest) -> bool:
        """Respond to a request; False if it is too early, or its worker does not read."""
        if not self._rollout.is_alive(request.worker):
            return True
        if time.monotonic() > request.until:
            why = self._watcher.problem or "it takes too long"
            return request.respond(503, f"not all workers follow the new plan: {why}")
        if self._rollout.workers_behind() or not self._rollout.is_published:
            return False
        if request.is_load and (
            self._watcher.last_scan < request.scan
            or self._rollout.is_validating_model(request.name)
        ):
            return False
        return request.respond(*self._outcome(request))

    def _outcome(self, request: _LoadRequest) -> tuple[int, str]:
        """HTTP status, and the reason of a failure."""
        planned = self._rollout.plan.models.get(request.name)
        if planned is None:
            is_known = not request.is_load and self._policy.has_model(request.name)
            return (200, "") if is_known else (404, f"no model {request.name!r} in the repository")
        if not request.is_load:
            return 200, ""
        newest = max(planned.versions, default=0)
        why = self._watcher.problem or planned.reason(newest) or planned.problem
        return (503, why) if why else (200, "")
