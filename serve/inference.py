"""From the body of an inference request to its answer, for one request or several joined."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve import errors, repository
from serve.errors import ServeError, StartError
from serve.model import Model
from serve.protocols import predict
from serve.settings import Settings

log = logging.getLogger("serve")

PATH = "/predict"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and a JSON body."""

    status: int
    body: bytes


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

    def answer(self, body: bytes) -> Answer:
        """Answer one request."""
        return self.answer_all([body])[0]

    def answer_all(self, bodies: Sequence[bytes]) -> list[Answer]:
        """Answer several requests, in order; those that are valid share runs of the model."""
        answers: list[Answer | None] = [None] * len(bodies)
        waiting: list[tuple[int, predict.Request]] = []
        for place, body in enumerate(bodies):
            try:
                parsed = predict.parse(body, self.model.inputs[0], self.max_rows)
                waiting.append((place, parsed))
            except ServeError as error:
                answers[place] = Answer(error.status, errors.body(str(error)))
            except Exception:  # a fault of ours: it shall cost this request, not the worker
                log.exception("a request of %s bytes could not be parsed", len(body))
                answers[place] = Answer(500, errors.body(errors.INTERNAL))
        while waiting:
            together = self._take(waiting)
            for (place, _), answer in zip(
                together, self._run([parsed for _, parsed in together]), strict=True
            ):
                answers[place] = answer
            del waiting[: len(together)]
        return [answer for answer in answers if answer is not None]

    def _take(
        self, waiting: Sequence[tuple[int, predict.Request]]
    ) -> Sequence[tuple[int, predict.Request]]:
        """The first requests that together have at most ``max_batch`` rows; at least one."""
        rows = 0
        for count, (_, parsed) in enumerate(waiting):
            rows += len(parsed.batch)
            if count and rows > self.max_batch:
                return waiting[:count]
        return waiting

    def _run(self, requests: Sequence[predict.Request]) -> list[Answer]:
        batches = [request.batch for request in requests]
        joined = batches[0] if len(batches) == 1 else np.concatenate(batches)
        model = self.model
        try:
            scores = model.run({model.inputs[0].name: joined})[model.outputs[0].name]
        except Exception:
            if len(requests) > 1:  # one of them is at fault: only that one shall fail
                return [self._run([request])[0] for request in requests]
            log.exception("%s/%s failed on a batch of %s", model.name, model.version, len(joined))
            return [Answer(500, errors.body(errors.INTERNAL))]
        answers = []
        start = 0
        for request in requests:
            end = start + len(request.batch)
            answers.append(self._answer(request, scores[start:end]))
            start = end
        return answers

    def _answer(self, request: predict.Request, scores: NDArray[Any]) -> Answer:
        if not np.isfinite(scores).all():  # JSON has no such numbers
            return Answer(500, errors.body("the model's answer to this input is not finite"))
        model = self.model
        return Answer(200, predict.render(request, scores, model.name, model.version))
