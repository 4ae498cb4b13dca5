"""Which requests for inference come in, and how long each may take."""

import time

from serve.api_keys import ApiKeys
from serve.catalog import Catalog
from serve.errors import BadRequest, Busy, ServeError
from serve.job import Job
from serve.settings import Settings
from serve.waiting import Waiting

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
        self._enough = min(settings.max_batch, settings.max_queue)
        self._delay = settings.batch_delay / 1000
        self.waiting = Waiting()

    def check(self, job: Job, name: str = "", version: str = "") -> bool:
        """Look at key, model, deadline and the length of the queue, all by the head of a request.

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
            self._check_length()
            job.deadline = job.arrived + self._seconds(job.headers.get(_TIMEOUT_HEADER))
        except ServeError as error:
            job.refuse(error)
        return job.answer is None

    def queue(self, job: Job) -> bool:
        """Let a job wait that was checked; False where it is refused, and has its answer."""
        try:
            self._check_length()
        except Busy as error:
            job.refuse(error)
            return False
        if self._delay and len(job.body) < _LONG_BODY:  # a longer one is company enough
            # No more than half of the time that the request may take is spent on waiting.
            job.due = job.arrived + min(self._delay, (job.deadline - job.arrived) / 2)
        self.waiting.add(job)
        return True

    def due_in(self) -> float:
        """Seconds until those that wait should be run; 0 for now, infinite for none."""
        count = len(self.waiting)
        if not count:
            return float("inf")
        if not self._delay or count >= self._enough:
            return 0
        return max(0.0, self.waiting.due() - time.monotonic())

    def _check_length(self) -> None:
        if len(self.waiting) >= self._most:
            raise Busy("queue", f"{self._most} requests are waiting already")

    def _seconds(self, wanted: str | None) -> float:
        """What a request may take; it can ask for less than the settings give, not for more."""
        if wanted is None:
            return self._timeout
        if not (wanted.isascii() and wanted.isdecimal()):
            raise BadRequest("X-Request-Timeout-Ms: expected a whole number of milliseconds")
        return min(self._timeout, float(wanted) / 1000)
