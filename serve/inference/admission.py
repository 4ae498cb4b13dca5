"""Which requests for inference come in, and how long each may take."""

import time

from serve.errors import BadRequest, Busy, ServeError
from serve.inference.api_keys import ApiKeys
from serve.inference.inference_job import InferenceJob
from serve.inference.request_queue import RequestQueue
from serve.models.catalog import Catalog
from serve.settings import Settings

_TIMEOUT_HEADER = "X_REQUEST_TIMEOUT_MS"
_LONG_BODY = 65536


class Admission:
    """The queue of one worker, and who may join it."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        """Make it empty, for requests to the models of ``catalog``.

        Raises:
            StartError: the file of API keys can't be used.

        """
        self._keys = ApiKeys(settings.api_keys) if settings.api_keys else None
        self._catalog = catalog
        self._timeout = settings.timeout
        self._most = settings.max_queue
        self._enough = min(settings.max_batch_rows, settings.max_queue)
        self._delay = settings.batch_delay_ms / 1000
        self.queue = RequestQueue()

    def check(self, job: InferenceJob, name: str = "", version: str = "") -> bool:
        """Look at the key, find the model and set the deadline, all by the head of a request.

        Args:
            job: just arrived.
            name: of the model that is asked for.
            version: its number or label.

        Returns:
            False where it is refused, and has its answer.

        """
        try:
            if self._keys:
                job.key = self._keys.check(job.headers)
            job.model = self._catalog.find(name, version)
            seconds = self._timeout
            if _TIMEOUT_HEADER in job.headers:
                seconds = self._seconds(job.headers[_TIMEOUT_HEADER])
            job.deadline = job.arrived + seconds
        except ServeError as error:
            job.refuse(error)
        return job.response is None

    def has_room(self, job: InferenceJob) -> bool:
        """May one more request wait? If not, this one is refused, and has its answer."""
        if len(self.queue) < self._most:
            return True
        job.refuse(Busy("queue", f"{self._most} requests are waiting already"))
        return False

    def enqueue(self, job: InferenceJob) -> bool:
        """Let a job wait that was checked; False where it is refused, and has its answer."""
        if not self.has_room(job):
            return False
        if self._delay and len(job.body) < _LONG_BODY:  # a longer one is company enough
            # No more than half of the time that the request may take is spent on waiting.
            job.due = job.arrived + min(self._delay, (job.deadline - job.arrived) / 2)
        self.queue.add(job)
        return True

    def due_in(self) -> float:
        """Seconds until those that wait should be run; 0 for now, infinite for none."""
        count = len(self.queue)
        if not count:
            return float("inf")
        if not self._delay or count >= self._enough:
            return 0
        return max(0.0, self.queue.due() - time.monotonic())

    def _seconds(self, wanted: str) -> float:
        """What a request may take; it can ask for less than the settings give, not for more."""
        if not (wanted.isascii() and wanted.isdecimal()):
            raise BadRequest("X-Request-Timeout-Ms: expected a whole number of milliseconds")
        return min(self._timeout, float(wanted) / 1000)
