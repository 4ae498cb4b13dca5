"""Combines inference requests into batches, and runs each batch on its model."""

import itertools
import logging
import time
from collections.abc import Callable, Sequence

import numpy as np

from serve.errors import INTERNAL, Busy, ClientDisconnected, Internal, ServeError, TimedOut
from serve.inference import content_encoding
from serve.inference.inference_job import InferenceJob
from serve.inference.request_queue import RequestQueue
from serve.models.session import Model
from serve.protocols.interface import DecodedRequest, Tensors
from serve.protocols.response import Response
from serve.settings import Settings

log = logging.getLogger("serve")

CHECK_CLIENT_AFTER = 0.001  # seconds in the queue after which the connection is checked


class Batcher:
    """Answers requests for any model in any protocol, without Flask or waitress."""

    def __init__(self, settings: Settings) -> None:
        self._max_rows = settings.max_rows
        self._max_batch = settings.max_batch_rows
        self._max_body_bytes = settings.max_body_bytes
        self.on_run: Callable[[Model, Sequence[InferenceJob]], None] = lambda model, jobs: None
        """Called after each run, when its requests have their responses."""
        self.on_outputs: Sequence[Callable[[Model, Tensors, Tensors], None]] = ()
        """Called after each run, with its inputs and outputs."""

    def respond(self, job: InferenceJob) -> Response:
        """Answer a single request."""
        queue = RequestQueue()
        queue.add(job)
        self.run_next_batch(queue)
        assert job.response  # noqa: S101 - it was the only one
        return job.response

    def run_next_batch(self, queue: RequestQueue) -> list[InferenceJob]:
        """Answer the first request in the queue, with others of its model in one batch.

        Returns the answered requests. A batch has up to ``max_batch_rows`` rows. A refused request
        ends the batch, so that a call never does much more than the work of one run. Several
        threads may call this at once.
        """
        batch: list[InferenceJob] = []
        rows = 0
        model: Model | None = None
        while rows < self._max_batch and (job := queue.take(model)):
            decoded = self._parse(job)
            if decoded is None:
                self._run(batch)
                return [*batch, job]
            rows += decoded.rows
            if batch and rows > self._max_batch:
                queue.put_back(job)
                break
            batch.append(job)
            model = job.model
            if model is None or not model.spec.batchable:
                break
        self._run(batch)
        return batch

    def _parse(self, job: InferenceJob) -> DecodedRequest | None:
        """Decode a request into arrays; None if it is refused."""
        try:
            now = _check_wanted(job)
            if job.decoded is None and job.model:
                body, job.body = job.body, b""
                if "CONTENT_ENCODING" in job.headers:
                    coding = job.headers["CONTENT_ENCODING"]
                    body = content_encoding.decode(body, coding, self._max_body_bytes)
                job.decoded = job.protocol.parse(body, job.headers, job.model.spec, self._max_rows)
                job.parse_seconds = time.monotonic() - now
            return job.decoded
        except ServeError as error:
            job.refuse(error)
        except MemoryError:
            job.refuse(Busy("memory", "there is not enough memory for this request"))
        except Exception:  # a bug: it must fail this request, not the worker
            log.exception("a request could not be parsed")
            job.refuse(Internal(INTERNAL))
        return None

    def _run(self, jobs: Sequence[InferenceJob]) -> None:
        """Answer jobs of the same model in one run."""
        requests = [job.decoded for job in jobs if job.decoded]
        model = jobs[0].model if jobs else None
        if model is None:
            return
        try:
            self._run_batch(model, jobs, requests)
        except Exception:
            if len(jobs) > 1:  # only the request that caused it must fail
                for job in jobs:
                    self._run([job])
                return
            log.exception("%s failed on a batch", model)
            jobs[0].refuse(Internal(INTERNAL))

    def _run_batch(
        self, model: Model, jobs: Sequence[InferenceJob], requests: Sequence[DecodedRequest]
    ) -> None:
        began = time.monotonic()
        inputs = _concatenate(requests)
        outputs = model.run(inputs)
        ended = time.monotonic()
        if len(jobs) == 1:
            parts_of_jobs = [outputs]
        else:
            parts_of_jobs = _split(outputs, [request.rows for request in requests])
        for job, request, part in zip(jobs, requests, parts_of_jobs, strict=True):
            job.queue_seconds = began - job.arrived - job.parse_seconds
            job.infer_seconds = ended - began
            _respond(job, request, part, model)
        self.on_run(model, jobs)
        self._observe(model, inputs, outputs)

    def _observe(self, model: Model, inputs: Tensors, outputs: Tensors) -> None:
        try:
            for take in self.on_outputs:
                take(model, inputs, outputs)
        except Exception:  # a bug: the requests have their responses
            log.exception("%s: a batch could not be observed", model)


def _concatenate(requests: Sequence[DecodedRequest]) -> Tensors:
    if len(requests) == 1:
        return requests[0].inputs
    return {
        name: np.concatenate([request.inputs[name] for request in requests])
        for name in requests[0].inputs
    }


def _split(outputs: Tensors, rows: Sequence[int]) -> list[Tensors]:
    """Split the outputs of a batch into the parts of its requests.

    Raises:
        ValueError: an output has another number of rows than the inputs.

    """
    ends = list(itertools.accumulate(rows))
    for array in outputs.values():
        if len(array) != ends[-1]:
            raise ValueError(f"an output has {len(array)} rows, its input {ends[-1]}")
    parts = [slice(end - count, end) for count, end in zip(rows, ends, strict=True)]
    return [{name: array[part] for name, array in outputs.items()} for part in parts]


def _are_finite(request: DecodedRequest, outputs: Tensors) -> bool:
    """Are all numbers finite in the outputs that are sent as JSON?"""
    names = outputs if request.in_json is None else request.in_json
    arrays = [outputs[name] for name in names]
    return all(array.dtype.kind != "f" or np.isfinite(array).all() for array in arrays)


def _respond(job: InferenceJob, request: DecodedRequest, outputs: Tensors, model: Model) -> None:
    now = time.monotonic()
    if now > job.deadline:
        job.refuse(_late(job))
        return
    try:
        response = job.protocol.render(request, outputs, model.spec)
    except ServeError as error:  # the protocol can't represent these outputs
        job.refuse(error)
        return
    # JSON has only finite numbers; orjson writes null for others, and rarely for anything else.
    if b"null" in response.body and not _are_finite(request, outputs):
        job.refuse(Internal("the model's output for this input is not finite"))
        return
    if "ACCEPT_ENCODING" in job.headers:
        response = content_encoding.encode(response, job.headers["ACCEPT_ENCODING"])
    job.response = response
    job.render_seconds = time.monotonic() - now


def _check_wanted(job: InferenceJob) -> float:
    """Refuse a request for which nobody waits; returns the current time."""
    now = time.monotonic()
    if now > job.deadline:
        raise _late(job)
    if now - job.arrived > CHECK_CLIENT_AFTER and job.is_disconnected():
        raise ClientDisconnected("the connection was closed before the response")
    return now


def _late(job: InferenceJob) -> TimedOut:
    milliseconds = (job.deadline - job.arrived) * 1000
    return TimedOut(f"no response within {milliseconds:.0f} ms, the deadline of this request")
