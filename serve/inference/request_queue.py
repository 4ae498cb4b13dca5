"""The queue of requests that wait for inference."""

import threading
from collections import deque

from serve.inference.inference_job import InferenceJob
from serve.models.session import Model


class RequestQueue:
    """A first-in, first-out queue. Thread-safe."""

    def __init__(self) -> None:
        self._jobs: deque[InferenceJob] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: InferenceJob) -> None:
        """Add a request."""
        with self._lock:
            self._jobs.append(job)

    def put_back(self, job: InferenceJob) -> None:
        """Put back a request that was taken, in front of all others."""
        with self._lock:
            self._jobs.appendleft(job)

    def take(self, model: Model | None = None) -> InferenceJob | None:
        """Take the oldest request of ``model``, or of all models; None if there is none."""
        with self._lock:
            jobs = self._jobs
            if not jobs:
                return None
            if model is None or jobs[0].model is model:
                return jobs.popleft()
            for index, job in enumerate(jobs):
                if job.model is model:
                    del jobs[index]
                    return job
        return None

    def due(self) -> float:
        """When the queue must be run; a time like ``InferenceJob.arrived``."""
        with self._lock:
            return min((job.due for job in self._jobs), default=float("inf"))
