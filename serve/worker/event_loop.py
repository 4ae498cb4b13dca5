"""One event loop that polls, and works off what the poll brought.

It answers at once whatever is quick (health, refusals), then inference for a while, then polls
again. So the server sees who comes, and can say no, also while it has much to do. Only with
``--inference-threads`` is inference handed to threads.
"""

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from serve.api import routes
from serve.api.routes import INFER, LOAD, UNLOAD
from serve.errors import INTERNAL, Busy, Internal, ServeError, quoted
from serve.http.connection import Connection
from serve.http.poller import Poller
from serve.http.request import Request
from serve.http.server import Server
from serve.http.wsgi import WaitressGateway
from serve.inference.admission import Admission
from serve.inference.batching import Batcher
from serve.inference.inference_job import InferenceJob
from serve.models.session import Model
from serve.telemetry.request_metrics import RequestMetrics
from serve.worker.inference_threads import InferenceThreads
from serve.worker.pending_loads import PendingLoads

log = logging.getLogger("serve")

INFERENCE_SECONDS = 0.01  # between two polls, and at most one run more


class EventLoop:
    """Answers the requests of a server's connections."""

    def __init__(
        self,
        poller: Poller,
        server: Server,
        gateway: WaitressGateway,
        inference: Batcher,
        admission: Admission,
        pending_loads: PendingLoads,
        request_metrics: RequestMetrics,
        receive_messages: Callable[[], bool],
        threads: int,
    ) -> None:
        """Have no connections as yet.

        Args:
            poller: of the server and of whatever else the process waits for.
            server: whose connections ask.
            gateway: to the application, for all but inference.
            inference: answers the requests that wait.
            admission: says which requests wait.
            pending_loads: takes requests to load and unload models.
            request_metrics: counts and logs.
            receive_messages: takes what the supervisor has sent; returns whether there was
                anything.
            threads: that run the models; with 0 the loop does.

        """
        self._poller = poller
        self._server = server
        self._gateway = gateway
        self._inference = inference
        self._admission = admission
        self._pending_loads = pending_loads
        self._receive_messages = receive_messages
        self._metrics = request_metrics
        self._threads = InferenceThreads(threads, self._infer_aside) if threads else None
        self._asking: dict[InferenceJob, tuple[Request, Connection]] = {}
        self._parked: dict[InferenceJob, tuple[Request, Connection]] = {}
        self._done: deque[InferenceJob] = deque()  # by threads
        self._runs: deque[tuple[Model, Sequence[InferenceJob]]] = (
            deque()
        )  # by threads, not counted as yet
        inference.on_run = self._note_run if threads else request_metrics.count_run
        server.dispatcher = self

    def turn(self, timeout: float) -> None:
        """Wait for something to happen, at most ``timeout`` seconds, and work it off."""
        pause = min(timeout, self._pause())
        # In whole milliseconds: epoll would make 0 of less, and be called again and again.
        events = self._poller.poll(math.ceil(pause * 1000) / 1000)
        server = self._server
        server.begin_turn()
        self._poller.handle(events)
        if (
            self._receive_messages()
        ):  # new connections, whose requests shall not wait for the next turn
            self._poller.handle(self._poller.poll(0))
        if server.proceeding:
            server.proceed()
        self._metrics.in_flight(len(self._asking))
        if self._threads:
            self._respond(self._done.popleft() for _ in range(len(self._done)))
            if self._admission.due_in() == 0:
                self._threads.wake(len(self._admission.queue))
        elif self._asking:
            self._infer(server.now + INFERENCE_SECONDS)
        self._metrics.in_flight(len(self._asking))
        if self._metrics.has_lines:
            self._metrics.flush()
        if server.now >= server.maintenance_due:
            server.maintain()

    def _pause(self) -> float:
        """How long nothing needs to be done unless something happens."""
        if self._server.proceeding or self._done:
            return 0
        if not self._asking or (self._threads and self._threads.requested):
            return math.inf  # until a thread has done its round, and wakes the loop
        return self._admission.due_in()

    def check(self, request: Request, connection: Connection) -> ServeError | None:
        """Why a request is refused, as far as its head tells; see ``http.server.Dispatcher``."""
        if request.head.operation != INFER:
            return None
        job = self._begin(request, connection)
        if job.response is None:
            self._admission.has_room(job)
        return job.response.error if job.response else None

    def _begin(self, request: Request, connection: Connection) -> InferenceJob:
        """The job of a request for inference; with an answer where its head is refused."""
        head = request.head
        assert head.match is not None  # noqa: S101 - it has an operation
        route, parameters = head.match
        job = request.job = InferenceJob(
            route.protocol, b"", head.headers, connection.is_disconnected
        )
        if connection.over_limit:
            job.refuse(Busy("connections", "too many connections"))
        else:
            self._admission.check(job, **routes.requested_model(parameters, head.query))
        return job

    def handle(self, request: Request, connection: Connection) -> None:
        """Answer a request that has come in whole, now or later."""
        operation = request.head.operation
        if operation == INFER:
            self._queue(request, connection)
        elif operation in (LOAD, UNLOAD):
            self._park(request, connection)
        else:
            self._ask_application(request, connection)

    def _queue(self, request: Request, connection: Connection) -> None:
        """Have a request wait for inference, unless it is refused."""
        job = request.job or self._begin(request, connection)
        job.body, request.body = request.body, b""
        job.set_received(self._server.now)
        if job.response is None:
            self._asking[job] = request, connection  # before a thread may answer it
            if self._admission.enqueue(job):
                return
            del self._asking[job]
        self._server.respond(request, connection)

    def _park(self, request: Request, connection: Connection) -> None:
        """Have a request wait for the supervisor, unless it is refused."""
        assert request.head.match is not None  # noqa: S101 - it has an operation
        route, parameters = request.head.match
        job = InferenceJob(
            route.protocol, request.body, request.head.headers, connection.is_disconnected
        )
        request.job = job
        if self._pending_loads.ask(job, route.operation, **parameters):
            self._parked[job] = request, connection
        else:
            self._server.respond(request, connection)

    def _ask_application(self, request: Request, connection: Connection) -> None:
        keep_alive = self._server.may_keep(request, connection)
        try:
            written = self._gateway.respond(request, keep_alive)
        except Exception as error:  # it shall cost this connection, not the worker
            if not isinstance(error, ServeError):
                log.exception("%s %s failed", request.head.method, quoted(request.head.path))
                error = Internal(INTERNAL)
            self._server.refuse(request, error, connection)
            return
        self._metrics.count_response(request, written.status, written.size)
        connection.send(written.data, written.keep_alive)

    def _infer(self, until: float) -> None:
        """Answer requests that wait, up to some moment or one run more."""
        while self._asking and self._admission.due_in() == 0:
            self._respond(self._inference.run_next_batch(self._admission.queue))
            if time.monotonic() > until:
                break

    def finish(self, job: InferenceJob) -> None:
        """Send the answer of a request that waited for the supervisor."""
        self._server.respond(*self._parked.pop(job))

    def _infer_aside(self) -> None:
        """Answer the requests of one run, on a thread."""
        self._done.extend(self._inference.run_next_batch(self._admission.queue))
        self._poller.wake()

    def _note_run(self, model: Model, jobs: Sequence[InferenceJob]) -> None:
        """Leave the counting of a run to the thread that has the metrics."""
        self._runs.append((model, jobs))

    def _respond(self, jobs: Iterable[InferenceJob]) -> None:
        while self._runs:
            self._metrics.count_run(*self._runs.popleft())
        for job in jobs:
            self._server.respond(*self._asking.pop(job))
