"""From the bodies of inference requests to their answers, one run of the model for several."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve import repository
from serve.errors import INTERNAL, ClientGone, ServeError, StartError, TimedOut
from serve.job import Answer, Job, error_body, refusal
from serve.model import Model
from serve.protocols import predict
from serve.settings import Settings

log = logging.getLogger("serve")

PATH = "/predict"
LOOK_AFTER = 0.001  # seconds of waiting after which it is asked whether the client is still there


def load(settings: Settings) -> "Inference":
    """Load and test the model that the settings name.

    Raises:
        StartError: there is none, it can't be trusted, or no route can speak for it.

    """
    return Inference(repository.open_model(settings), settings.max_rows, settings.max_batch)


class Inference:
    """Answers ``POST /predict`` for one model. It knows neither Flask nor waitress."""

    def __init__(self, model: Model, max_rows: int, max_batch: int) -> None:
        if reason := predict.unsupported(model.inputs, model.outputs):
            raise StartError(f"{model.name}/{model.version}: {PATH} can't serve it: {reason}")
        self.model = model
        self.max_rows = max_rows
        self.max_batch = max_batch
        self.ran: Callable[[int], None] = lambda rows: None
        """Told the rows of each run."""

    def answer(self, job: Job) -> Answer:
        """Answer one request by itself."""
        self.answer_next(deque([job]))
        return job.answer or _FAULT

    def answer_next(self, waiting: deque[Job]) -> list[Job]:
        """Answer the first of those that wait, as many as fill one run; returns them.

        Requests share a run up to ``max_batch`` rows. One that is refused ends the search for
        more, so that a call never does much more than one run's work. Several threads may call
        this at once.
        """
        together: list[Job] = []
        refused: list[Job] = []
        rows = 0
        while rows < self.max_batch and not refused and (job := _first(waiting)):
            parsed = self._parse(job)
            if parsed is None:
                refused.append(job)
                continue
            rows += len(parsed.batch)
            if together and rows > self.max_batch:
                waiting.appendleft(job)
                break
            together.append(job)
        if together:
            self._run(together)
        return together + refused

    def _parse(self, job: Job) -> predict.Request | None:
        """The batch of a request; None where it is refused, and has its answer."""
        try:
            now = _check_wanted(job)
            if job.parsed is None:
                job.parsed = predict.parse(job.body, self.model.inputs[0], self.max_rows)
                job.body = b""
                job.parse_seconds = time.monotonic() - now
            return job.parsed
        except ServeError as error:
            job.answer = refusal(error)
        except Exception:  # a fault of ours: it shall cost this request, not the worker
            log.exception("a request of %s bytes could not be parsed", len(job.body))
            job.answer = _FAULT
        return None

    def _run(self, jobs: Sequence[Job]) -> None:
        requests = [job.parsed for job in jobs if job.parsed]
        batches = [request.batch for request in requests]
        model = self.model
        began = time.monotonic()
        try:
            joined = batches[0] if len(batches) == 1 else np.concatenate(batches)
            scores = model.run({model.inputs[0].name: joined})[model.outputs[0].name]
            ended = time.monotonic()
            self.ran(len(joined))
            finite = bool(np.isfinite(scores).all())  # of all at once, for each call takes time
            start = 0
            for job, request in zip(jobs, requests, strict=True):
                end = start + len(request.batch)
                job.queue_seconds = began - job.arrived - job.parse_seconds
                job.infer_seconds = ended - began
                own = scores[start:end]
                if finite or np.isfinite(own).all():
                    job.answer = self._answer(job, request, own)
                else:  # JSON has no such numbers
                    job.answer = _NOT_FINITE
                start = end
        except Exception:
            if len(jobs) > 1:  # one of them is at fault: only that one shall fail
                for job in jobs:
                    self._run([job])
                return
            rows = len(batches[0])
            log.exception("%s/%s failed on a batch of %s", model.name, model.version, rows)
            jobs[0].answer = _FAULT

    def _answer(self, job: Job, request: predict.Request, scores: NDArray[Any]) -> Answer:
        now = time.monotonic()
        if now > job.deadline:
            return refusal(_late(job))
        model = self.model
        body = predict.render(request, scores, model.name, model.version)
        job.render_seconds = time.monotonic() - now
        return Answer(200, body)


def _first(waiting: deque[Job]) -> Job | None:
    try:
        return waiting.popleft()
    except IndexError:
        return None


_FAULT = Answer(500, error_body(INTERNAL))
_NOT_FINITE = Answer(500, error_body("the model's answer to this input is not finite"))


def _check_wanted(job: Job) -> float:
    """Refuse to begin work that nobody waits for; returns the time."""
    now = time.monotonic()
    if now > job.deadline:
        raise _late(job)
    if now - job.arrived > LOOK_AFTER and job.gone():
        raise ClientGone("the connection was closed before the answer")
    return now


def _late(job: Job) -> TimedOut:
    milliseconds = (job.deadline - job.arrived) * 1000
    return TimedOut(f"no answer within {milliseconds:.0f} ms, which this request may take")
