"""Which inference requests are accepted, and how long each may take."""

import time

from serve.errors import BadRequest, Busy, ServeError
from serve.inference.api_keys import ApiKeys
from serve.inference.inference_job import InferenceJob
from serve.inference.request_queue import RequestQueue
from serve.models.catalog import Catalog
from serve.settings import Settings

_TIMEOUT_HEADER = "X_REQUEST_TIMEOUT_MS"
_LARGE_BODY = 65536


class Admission:
    """The queue of a worker, and the rules for who may join it."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        """Begin with an empty queue, for requests to the models of ``catalog``.

        Raises:
            StartError: the file of API keys is not valid.

        """
        self._keys = ApiKeys(settings.api_keys) if settings.api_keys else None
        self._catalog = catalog
        self._timeout = settings.timeout
        self._max_queue = settings.max_queue
        self._full_batch = min(settings.max_batch_rows, settings.max_queue)
        self._delay = settings.batch_delay_ms / 1000
        self.queue = RequestQueue()

    def check(self, job: InferenceJob, name: str = "", version: str = "") -> bool:
        """Check the API key, find the model and set the deadline, from the head of a request.

        Args:
            job: a new one.
            name: of the requested model.
            version: its number or label.

        Returns:
            False if the request is refused; then the job has its response.

        """
        try:
            if self._keys:
                job.key = self._keys.check(job.headers)
            job.model = self._catalog.find(name, version, job.headers)
            seconds = self._timeout
            if _TIMEOUT_HEADER in job.headers:
                seconds = self._seconds(job.headers[_TIMEOUT_HEADER])
            job.deadline = job.arrived + seconds
        except ServeError as error:
            job.refuse(error)
        return job.response is None

    def has_room(self, job: InferenceJob) -> bool:
        """Is there room in the queue? If not, the request is refused."""
        if len(self.queue) < self._max_queue:
            return True
        job.refuse(Busy("queue", f"{self._max_queue} requests are waiting already"))
        return False

    def enqueue(self, job: InferenceJob) -> bool:
        """Add a checked job to the queue; False if it is refused."""
        if not self.has_room(job):
            return False
        if self._delay and len(job.body) < _LARGE_BODY:  # a large request fills a batch by itself
            # At most half of the time until the deadline is spent on waiting.
            job.due = job.arrived + min(self._delay, (job.deadline - job.arrived) / 2)
        self.queue.add(job)
        return True

    def due_in(self) -> float:
        """Seconds until the queue must be run; 0 for now, infinite if it is empty."""
        count = len(self.queue)
        if not count:
            return float("inf")
        if not self._delay or count >= self._full_batch:
            return 0
        return max(0.0, self.queue.due() - time.monotonic())

    def _seconds(self, wanted: str) -> float:
        """Seconds that a request may take; it can ask for less than --timeout, not for more."""
        if not (wanted.isascii() and wanted.isdecimal()):
            raise BadRequest("X-Request-Timeout-Ms: expected a whole number of milliseconds")
        return min(self._timeout, float(wanted) / 1000)
