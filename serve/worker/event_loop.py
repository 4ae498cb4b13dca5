"""The event loop of a worker: it polls, and handles the events.

In each turn it first answers what is quick, such as health checks and refusals. Then it runs
inference for a limited time. So it accepts and refuses requests also under load. With
``--inference-threads``, threads run inference instead.
"""

import functools
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable

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
from serve.inference.shadow import Shadow
from serve.telemetry.request_metrics import RequestMetrics
from serve.worker.inference_threads import InferenceThreads
from serve.worker.pending_loads import PendingLoads

log = logging.getLogger("serve")

INFERENCE_SECONDS = 0.01  # between two polls; the last run may exceed it


class EventLoop:
    """Answers the requests of all connections."""

    def __init__(
        self,
        poller: Poller,
        server: Server,
        gateway: WaitressGateway,
        inference: Batcher,
        admission: Admission,
        shadow: Shadow,
        pending_loads: PendingLoads,
        request_metrics: RequestMetrics,
        receive_messages: Callable[[], bool],
        threads: int,
    ) -> None:
        """Begin without connections.

        Args:
            poller: for all events of the worker.
            server: the connections.
            gateway: to the application, for all requests except inference.
            inference: answers the requests in the queue.
            admission: has the queue.
            shadow: compares versions in spare time.
            pending_loads: takes requests to load and unload models.
            request_metrics: counts and logs.
            receive_messages: handles the messages of the supervisor; returns whether there
                were any.
            threads: number of inference threads; 0 runs models on the event loop.

        """
        self._poller = poller
        self._server = server
        self._gateway = gateway
        self._inference = inference
        self._admission = admission
        self._shadow = shadow
        self._pending_loads = pending_loads
        self._receive_messages = receive_messages
        self._metrics = request_metrics
        self._threads = InferenceThreads(threads, self._infer_on_thread) if threads else None
        self._waiting: dict[InferenceJob, tuple[Request, Connection]] = {}
        self._loading: dict[InferenceJob, tuple[Request, Connection]] = {}
        self._done: deque[InferenceJob] = deque()  # by threads
        self._counts: deque[Callable[[], None]] = deque()  # of what threads did
        count = self._count_later if threads else lambda function: function
        inference.on_run = count(request_metrics.count_run)
        inference.on_outputs = [shadow.offer, count(request_metrics.count_outputs)]
        shadow.on_result = count(request_metrics.count_shadow)
        server.dispatcher = self

    def turn(self, timeout: float) -> None:
        """Wait for events, at most ``timeout`` seconds, and handle them."""
        pause = min(timeout, self._pause())
        # In whole milliseconds, because epoll rounds down to 0 and would return at once.
        events = self._poller.poll(math.ceil(pause * 1000) / 1000)
        server = self._server
        server.begin_turn()
        self._poller.handle(events)
        if self._receive_messages():  # requests on new connections must not wait for the next turn
            self._poller.handle(self._poller.poll(0))
        if server.proceeding:
            server.proceed()
        self._metrics.in_flight(len(self._waiting))
        self._work(is_idle=not events)
        self._metrics.in_flight(len(self._waiting))
        if self._metrics.has_lines:
            self._metrics.flush()
        if server.now >= server.maintenance_due:
            server.maintain()

    def _work(self, is_idle: bool) -> None:
        """Run models, or have threads run them; with nothing else to do, the shadow."""
        if self._threads:
            self._respond(self._done.popleft() for _ in range(len(self._done)))
            if self._admission.due_in() == 0:
                self._threads.wake(len(self._admission.queue))
        elif self._waiting:
            self._infer(self._server.now + INFERENCE_SECONDS)
        elif self._shadow and is_idle:
            self._shadow.run_next()

    def _pause(self) -> float:
        """Seconds until something must be done without an event."""
        if self._server.proceeding or self._done:
            return 0
        if not self._waiting:
            return 0 if self._shadow and not self._threads else math.inf
        if self._threads and self._threads.requested:
            return math.inf  # until a thread has run its batch, and wakes the loop
        return self._admission.due_in()

    def check(self, request: Request, connection: Connection) -> ServeError | None:
        """See ``http.connection_owner.Dispatcher``."""
        if request.head.operation != INFER:
            return None
        job = self._begin(request, connection)
        if job.response is None:
            self._admission.has_room(job)
        return job.response.error if job.response else None

    def _begin(self, request: Request, connection: Connection) -> InferenceJob:
        """Create the job of an inference request; it has a response if the head is refused."""
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
        """Answer a complete request, now or later."""
        operation = request.head.operation
        if operation == INFER:
            self._queue(request, connection)
        elif operation in (LOAD, UNLOAD):
            self._pass_on(request, connection)
        else:
            self._call_application(request, connection)

    def _queue(self, request: Request, connection: Connection) -> None:
        """Add a request to the inference queue, unless it is refused."""
        job = request.job or self._begin(request, connection)
        job.body, request.body = request.body, b""
        job.set_received(self._server.now)
        if job.response is None:
            self._waiting[job] = request, connection  # before a thread can answer it
            if self._admission.enqueue(job):
                return
            del self._waiting[job]
        self._server.respond(request, connection)

    def _pass_on(self, request: Request, connection: Connection) -> None:
        """Pass a load request to the supervisor, unless it is refused."""
        assert request.head.match is not None  # noqa: S101 - it has an operation
        route, parameters = request.head.match
        job = InferenceJob(
            route.protocol, request.body, request.head.headers, connection.is_disconnected
        )
        request.job = job
        if self._pending_loads.ask(job, route.operation, **parameters):
            self._loading[job] = request, connection
        else:
            self._server.respond(request, connection)

    def _call_application(self, request: Request, connection: Connection) -> None:
        keep_alive = self._server.may_keep(request, connection)
        try:
            written = self._gateway.respond(request, keep_alive)
        except Exception as error:  # it must end this connection, not the worker
            if not isinstance(error, ServeError):
                log.exception("%s %s failed", request.head.method, quoted(request.head.path))
                error = Internal(INTERNAL)
            self._server.refuse(request, error, connection)
            return
        self._metrics.count_response(request, written.status, written.size)
        connection.send(written.data, written.keep_alive)

    def _infer(self, until: float) -> None:
        """Run batches until a point in time; the last run may exceed it."""
        while self._waiting and self._admission.due_in() == 0:
            self._respond(self._inference.run_next_batch(self._admission.queue))
            if time.monotonic() > until:
                break

    def finish(self, job: InferenceJob) -> None:
        """Send the response to a load request."""
        self._server.respond(*self._loading.pop(job))

    def _infer_on_thread(self) -> None:
        """Run one batch, on a thread."""
        self._done.extend(self._inference.run_next_batch(self._admission.queue))
        self._poller.wake()
        while self._shadow and not len(self._admission.queue):
            self._shadow.run_next()

    def _count_later(self, count: Callable[..., None]) -> Callable[..., None]:
        """Make a function that threads may call, and the event loop will call ``count``."""
        return lambda *what: self._counts.append(functools.partial(count, *what))

    def _respond(self, jobs: Iterable[InferenceJob]) -> None:
        while self._counts:
            self._counts.popleft()()
        for job in jobs:
            self._server.respond(*self._waiting.pop(job))
