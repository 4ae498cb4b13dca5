"""Counts and logs each request."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from serve.errors import ServeError
from serve.inference.inference_job import InferenceJob
from serve.models.session import Model
from serve.protocols.interface import Tensors
from serve.protocols.open_inference import model_statistics
from serve.telemetry import metrics
from serve.telemetry.access_log import AccessLog
from serve.telemetry.drift import Drift
from serve.telemetry.metrics import Metrics, Series
from serve.telemetry.request_log import RequestLog


class RequestHead(Protocol):
    """What is counted and logged of a request's head."""

    @property
    def method(self) -> str:
        """The HTTP method."""

    @property
    def path(self) -> str:
        """The path, without escapes and without the query."""

    @property
    def route(self) -> str:
        """The path of the route, as the metrics name it."""

    @property
    def traceparent(self) -> str:
        """The trace context of the request; empty if there is none."""


class AnsweredRequest(Protocol):
    """What is counted and logged of a request."""

    job: InferenceJob | None
    size: int

    @property
    def head(self) -> RequestHead:
        """The parsed head."""

    @property
    def client(self) -> str:
        """The address of the client."""

    @property
    def started(self) -> float:
        """When its first byte came; a time of ``time.monotonic``."""

    @property
    def id(self) -> str:
        """The value of X-Request-Id."""


class RequestMetrics:
    """Counts and logs the requests of one worker."""

    def __init__(self, counted: Metrics, access_log: AccessLog) -> None:
        self._metrics = counted
        self._access_log = access_log
        self._drift = Drift(counted.counters)
        self.request_log: RequestLog | None = None
        self._in_flight = counted.series(metrics.IN_FLIGHT)
        self.has_lines = False
        """Are there lines to ``flush``?"""
        # Series are looked up once. The keys are strings, so an unloaded model is not kept.
        self._requests: dict[tuple[str, tuple[str, str], int], tuple[Series, Series]] = {}
        self._models: dict[tuple[str, str], _Counts] = {}

    def count_run(self, model: Model, jobs: Sequence[InferenceJob]) -> None:
        """Count a run of a model, and the steps of its requests."""
        counts = self._of_model(model)
        all_rows = rows = 0
        for job in jobs:
            if job.decoded is None:
                continue
            all_rows += job.decoded.rows
            if job.response and job.response.status == 200:
                rows += job.decoded.rows
                counts.parse.add(job.parse_seconds)
                counts.queue.add(job.queue_seconds)
                counts.infer.add(job.infer_seconds)
                counts.render.add(job.render_seconds)
        counts.rows.add(rows)
        counts.batch_rows.observe(all_rows)
        counts.last_inference.set(time.time())

    def count_outputs(self, model: Model, inputs: Tensors, outputs: Tensors) -> None:
        """Compare some rows of a run with the test set of the model, and log some."""
        self._drift.observe(model, inputs, outputs)
        if self.request_log:
            self.request_log.observe(model, inputs, outputs)

    def count_shadow(self, model: Model, shadow: Model, result: str, rows: int) -> None:
        """Count rows that were compared with a shadow version; see ``inference.shadow``."""
        name, version = model.spec.id
        labels = (name, version, str(shadow.spec.version), result)
        self._metrics.series(metrics.SHADOW_ROWS, *labels).add(rows)

    def in_flight(self, count: int) -> None:
        """Set the number of inference requests that wait or are being processed."""
        self._in_flight.set(count)

    def count_rejections(self, reason: str, count: int = 1) -> None:
        """Count requests that are refused, or connections that are dropped."""
        self._metrics.series(metrics.REJECTIONS, reason).add(count)

    def count_response(
        self, request: AnsweredRequest, status: int, size: int, error: ServeError | None = None
    ) -> None:
        """Count a request whose response is about to be sent, and log it if required.

        Args:
            request: the request.
            status: of the response.
            size: of the response body, in bytes.
            error: why the request is refused; None if it is not.

        """
        seconds = time.monotonic() - request.started
        job = request.job
        model = job.model if job is not None else None
        count, duration = self._series(request.head.route, model, status)
        count.add()
        duration.observe(seconds)
        if model is not None and status != 200:
            self._of_model(model).failed.add(seconds)
        if error is not None and error.rejection:
            self.count_rejections(error.rejection)
        if self._access_log.wants(status):
            self.has_lines = True
            self._access_log.add(_entry(request, status, size, seconds))

    def flush(self) -> None:
        """Write the access log."""
        self.has_lines = False
        self._access_log.flush()

    def _series(self, route: str, model: Model | None, status: int) -> tuple[Series, Series]:
        of = model.spec.id if model else ("", "")
        key = (route, of, status)
        if key not in self._requests:
            self._requests[key] = (
                self._metrics.series(metrics.REQUESTS, route, *of, str(status)),
                self._metrics.series(metrics.SECONDS, route, *of),
            )
        return self._requests[key]

    def _of_model(self, model: Model) -> "_Counts":
        key = model.spec.id
        if key not in self._models:
            self._models[key] = _Counts(self._metrics, key)
        return self._models[key]


class _Counts:
    """The series of one model version, looked up once."""

    def __init__(self, counted: Metrics, labels: tuple[str, str]) -> None:
        self.rows = counted.series(metrics.ROWS, *labels)
        self.batch_rows = counted.series(metrics.BATCH_ROWS, *labels)
        self.last_inference = counted.series(metrics.LAST_INFERENCE, *labels)
        steps = (*model_statistics.STEPS, "failed")
        series = (counted.series(metrics.STEP_SECONDS, *labels, step) for step in steps)
        self.queue, self.parse, self.infer, self.render, self.failed = series


def _entry(request: AnsweredRequest, status: int, size: int, seconds: float) -> dict[str, Any]:
    entry = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "id": request.id,
        "client": request.client,
        "method": request.head.method[:20],
        "path": request.head.path[:200],
        "status": status,
        "ms": round(seconds * 1000, 2),
        "bytes_in": request.size,
        "bytes_out": size,
    }
    if request.head.traceparent:
        entry["traceparent"] = request.head.traceparent
    if request.job is not None:
        entry |= _entry_of(request.job)
    return entry


def _entry_of(job: InferenceJob) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if job.model is not None:
        entry["model"], entry["version"] = job.model.spec.id
    if job.decoded is not None:
        entry["rows"] = job.decoded.rows
    if job.key:
        entry["key"] = job.key
    if job.response is not None and job.response.error is not None:
        entry["error"] = str(job.response.error)
    return entry
