"""What is seen of each answered request from outside: metrics and the access log."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from prometheus_client import Counter, Histogram
from waitress.task import Task

from serve import routes
from serve.access_log import AccessLog
from serve.job import Job
from serve.metrics import Metrics
from serve.model import Model
from serve.protocols import oip_statistics


class Observer:
    """Counts and logs the requests of one worker."""

    def __init__(self, metrics: Metrics, access_log: AccessLog) -> None:
        self._metrics = metrics
        self._access_log = access_log
        self._in_flight = 0
        # Labels are looked up once; a model that is unloaded is not kept by it.
        self._requests: dict[tuple[str, tuple[str, str], int], tuple[Counter, Histogram]] = {}
        self._models: dict[tuple[str, str], _Counts] = {}

    def ran(self, model: Model, jobs: Sequence[Job]) -> None:
        """Count a run of a model, and what its requests took; once for all of them is cheaper."""
        counts = self._of_model(model)
        good = [job for job in jobs if job.answer and job.answer.status == 200]
        counts.run_rows.observe(sum(job.parsed.rows for job in jobs if job.parsed))
        counts.last_run.set(time.time())
        counts.rows.inc(sum(job.parsed.rows for job in good if job.parsed))
        counts.parse.inc(sum([job.parse_seconds for job in good]))
        counts.queue.inc(sum([job.queue_seconds for job in good]))
        counts.infer.inc(sum([job.infer_seconds for job in good]))
        counts.render.inc(sum([job.render_seconds for job in good]))

    def in_flight(self, count: int) -> None:
        """Say how many requests for inference are being worked on, or wait."""
        if count != self._in_flight:
            self._in_flight = count
            self._metrics.in_flight.set(count)

    def rejected(self, reason: str) -> None:
        """Count a request or a connection that is turned away."""
        self._metrics.rejections.labels(reason).inc()

    def answered(self, task: Task) -> None:
        """Count a request whose answer is about to be written, and log it where that is wanted."""
        request = task.request
        status = int(task.status[:3])
        seconds = time.monotonic() - request.started
        job = request.job
        model = job.model if job is not None else None
        route = request.route[0] if request.route else routes.of(request.path)
        count, duration = self._series(route.path if route else "other", model, status)
        count.inc()
        duration.observe(seconds)
        if model is not None and status != 200:
            self._metrics.step_seconds.labels(*model.signature.id, "failed").inc(seconds)
        if self._access_log.wants(status):
            self._access_log.add(self._entry(task, status, seconds))

    def flush(self) -> None:
        """Write the access log."""
        self._access_log.flush()

    def _series(self, route: str, model: Model | None, status: int) -> tuple[Counter, Histogram]:
        key = (route, model.signature.id if model else ("", ""), status)
        if key not in self._requests:
            self._requests[key] = (
                self._metrics.requests.labels(route, *key[1], status),
                self._metrics.seconds.labels(route, *key[1]),
            )
        return self._requests[key]

    def _of_model(self, model: Model) -> "_Counts":
        key = model.signature.id
        if key not in self._models:
            self._models[key] = _Counts(self._metrics, key)
        return self._models[key]

    def _entry(self, task: Task, status: int, seconds: float) -> dict[str, Any]:
        request = task.request
        job = request.job
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "id": request.id,
            "client": task.channel.addr[0],
            "method": request.command[:20],
            "path": request.path[:200],
            "status": status,
            "ms": round(seconds * 1000, 2),
            "bytes_in": request.body_bytes_received,
            "bytes_out": task.content_length,
        }
        if job is not None:
            entry |= _entry_of(job)
        return entry


class _Counts:
    """The counters of one version, looked up once."""

    def __init__(self, metrics: Metrics, labels: tuple[str, str]) -> None:
        self.rows = metrics.rows.labels(*labels)
        self.run_rows = metrics.run_rows.labels(*labels)
        self.last_run = metrics.last_run.labels(*labels)
        steps = (metrics.step_seconds.labels(*labels, step) for step in oip_statistics.STEPS)
        self.queue, self.parse, self.infer, self.render = steps


def _entry_of(job: Job) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if job.model is not None:
        entry["model"], entry["version"] = job.model.signature.id
    if job.parsed is not None:
        entry["rows"] = job.parsed.rows
    if job.key:
        entry["key"] = job.key
    if job.answer is not None and job.answer.error is not None:
        entry["error"] = str(job.answer.error)
    return entry
