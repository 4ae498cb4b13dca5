"""From the bodies of inference requests to their answers, one run of a model for several."""

import itertools
import logging
import time
from collections.abc import Callable, Sequence

import numpy as np

from serve.errors import INTERNAL, Busy, ClientGone, Internal, ServeError, TimedOut
from serve.inference import content_encoding
from serve.inference.inference_job import Job
from serve.inference.request_queue import Waiting
from serve.models.session import Model
from serve.protocols.interface import Request, Tensors
from serve.protocols.response import Answer
from serve.settings import Settings

log = logging.getLogger("serve")

LOOK_AFTER = 0.001  # seconds of waiting after which it is asked whether the client is still there


class Inference:
    """Answers requests, whatever their model and dialect. It knows neither Flask nor waitress."""

    def __init__(self, settings: Settings) -> None:
        self._max_rows = settings.max_rows
        self._max_batch = settings.max_batch_rows
        self._max_body_bytes = settings.max_body_bytes
        self.ran: Callable[[Model, Sequence[Job]], None] = lambda model, jobs: None
        """Told of each run, when its requests have their answers."""

    def answer(self, job: Job) -> Answer:
        """Answer one request by itself."""
        waiting = Waiting()
        waiting.add(job)
        self.answer_next(waiting)
        assert job.answer  # noqa: S101 - it was the only one
        return job.answer

    def answer_next(self, waiting: Waiting) -> list[Job]:
        """Answer the first of those that wait, and others as fill one run; returns them.

        Requests share a run up to ``max_batch_rows`` rows. One that is refused ends the search for
        more, so that a call never does much more than one run's work. Several threads may call
        this at once.
        """
        together: list[Job] = []
        rows = 0
        model: Model | None = None
        while rows < self._max_batch and (job := waiting.take(model)):
            parsed = self._parse(job)
            if parsed is None:
                self._run(together)
                return [*together, job]
            rows += parsed.rows
            if together and rows > self._max_batch:
                waiting.put_back(job)
                break
            together.append(job)
            model = job.model
            if model is None or not model.signature.joins:
                break
        self._run(together)
        return together

    def _parse(self, job: Job) -> Request | None:
        """The arrays of a request; None where it is refused, and has its answer."""
        try:
            now = _check_wanted(job)
            if job.parsed is None and job.model:
                body, job.body = job.body, b""
                if "CONTENT_ENCODING" in job.headers:
                    coding = job.headers["CONTENT_ENCODING"]
                    body = content_encoding.decode(body, coding, self._max_body_bytes)
                job.parsed = job.dialect.parse(
                    body, job.headers, job.model.signature, self._max_rows
                )
                job.parse_seconds = time.monotonic() - now
            return job.parsed
        except ServeError as error:
            job.refuse(error)
        except MemoryError:
            job.refuse(Busy("memory", "there is not as much memory as this request needs"))
        except Exception:  # a fault of ours: it shall cost this request, not the worker
            log.exception("a request could not be parsed")
            job.refuse(Internal(INTERNAL))
        return None

    def _run(self, jobs: Sequence[Job]) -> None:
        """Answer jobs of the same model, in one run of it."""
        requests = [job.parsed for job in jobs if job.parsed]
        model = jobs[0].model if jobs else None
        if model is None:
            return
        try:
            self._run_together(model, jobs, requests)
        except Exception:
            if len(jobs) > 1:  # one of them is at fault: only that one shall fail
                for job in jobs:
                    self._run([job])
                return
            log.exception("%s failed on a batch", model)
            jobs[0].refuse(Internal(INTERNAL))

    def _run_together(self, model: Model, jobs: Sequence[Job], requests: Sequence[Request]) -> None:
        began = time.monotonic()
        outputs = model.run(_join(requests))
        ended = time.monotonic()
        if len(jobs) == 1:
            shares = [outputs]
        else:
            shares = _share(outputs, [request.rows for request in requests])
        for job, request, share in zip(jobs, requests, shares, strict=True):
            job.queue_seconds = began - job.arrived - job.parse_seconds
            job.infer_seconds = ended - began
            _answer(job, request, share, model)
        self.ran(model, jobs)


def _join(requests: Sequence[Request]) -> Tensors:
    if len(requests) == 1:
        return requests[0].inputs
    return {
        name: np.concatenate([request.inputs[name] for request in requests])
        for name in requests[0].inputs
    }


def _share(outputs: Tensors, rows: Sequence[int]) -> list[Tensors]:
    """Each request's part of a joint run's outputs.

    Raises:
        ValueError: an output has other rows than its input.

    """
    ends = list(itertools.accumulate(rows))
    for array in outputs.values():
        if len(array) != ends[-1]:
            raise ValueError(f"an output has {len(array)} rows, its input {ends[-1]}")
    parts = [slice(end - count, end) for count, end in zip(rows, ends, strict=True)]
    return [{name: array[part] for name, array in outputs.items()} for part in parts]


def _are_finite(request: Request, outputs: Tensors) -> bool:
    """Is every number finite that goes as JSON?"""
    names = outputs if request.in_json is None else request.in_json
    arrays = [outputs[name] for name in names]
    return all(array.dtype.kind != "f" or np.isfinite(array).all() for array in arrays)


def _answer(job: Job, request: Request, outputs: Tensors, model: Model) -> None:
    now = time.monotonic()
    if now > job.deadline:
        job.refuse(_late(job))
        return
    try:
        answer = job.dialect.render(request, outputs, model.signature)
    except ServeError as error:  # the dialect has no form for such outputs
        job.refuse(error)
        return
    # JSON has no other numbers than finite ones: orjson writes null for them, and rarely otherwise.
    if b"null" in answer.body and not _are_finite(request, outputs):
        job.refuse(Internal("the model's answer to this input is not finite"))
        return
    if "ACCEPT_ENCODING" in job.headers:
        answer = content_encoding.encode(answer, job.headers["ACCEPT_ENCODING"])
    job.answer = answer
    job.render_seconds = time.monotonic() - now


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
