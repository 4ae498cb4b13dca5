"""What is seen of each answered request from outside: metrics and the access log."""

import time
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import orjson
from prometheus_client import Counter, Histogram
from waitress.task import Task

from serve.access_log import AccessLog
from serve.inference import PATH
from serve.job import Job
from serve.metrics import Metrics
from serve.model import Model


class Observer:
    """Counts and logs the requests of one worker."""

    def __init__(
        self, metrics: Metrics, access_log: AccessLog, model: Model, routes: Collection[str]
    ) -> None:
        self._metrics = metrics
        self._access_log = access_log
        self._model = (model.name, str(model.version))
        self._routes = frozenset(routes)
        self._in_flight = 0
        self._requests: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._rows = metrics.rows.labels(*self._model)
        self._run_rows = metrics.run_rows.labels(*self._model)

    def ran(self, rows: int) -> None:
        """Count a run of the model."""
        self._run_rows.observe(rows)

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
        count, duration = self._series(request.path, status)
        count.inc()
        duration.observe(seconds)
        if request.job is not None and request.job.parsed is not None and status == 200:
            self._rows.inc(len(request.job.parsed.batch))
        if self._access_log.wants(status):
            self._access_log.add(self._entry(task, status, seconds))

    def flush(self) -> None:
        """Write the access log."""
        self._access_log.flush()

    def _series(self, path: str, status: int) -> tuple[Counter, Histogram]:
        """Counter and histogram of a route; one for all paths that are none."""
        route = path if path in self._routes else "other"
        if (route, status) not in self._requests:
            model = self._model if route == PATH else ("", "")
            self._requests[route, status] = (
                self._metrics.requests.labels(route, *model, status),
                self._metrics.seconds.labels(route, *model),
            )
        return self._requests[route, status]

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


def _entry_of(job: Job) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if job.parsed is not None:
        entry["rows"] = len(job.parsed.batch)
    if job.key:
        entry["key"] = job.key
    if job.answer is not None and job.answer.status != 200:
        entry["error"] = orjson.loads(job.answer.body)["error"]
    return entry
