"""Requests share runs of the model; what is wrong with one of them stays its own."""

import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bundle.golden import Tensors
from serve import command_line
from serve.inference.batching import Batcher
from serve.inference.inference_job import InferenceJob
from serve.inference.request_queue import RequestQueue
from serve.models import catalog
from serve.models.session import Model
from serve.protocols import oip, predict
from serve.protocols.response import Response
from serve.settings import Settings
from tests.conftest import Digits


@pytest.fixture(scope="module")
def chosen(repository: Path) -> Settings:
    return command_line.load(["--models", str(repository)], {})


@pytest.fixture(scope="module")
def inference(chosen: Settings) -> Batcher:
    return Batcher(chosen)


@pytest.fixture(scope="module")
def model(chosen: Settings) -> Model:
    return catalog.load(chosen).find()


def job(model: Model, body: bytes, **more: Any) -> InferenceJob:
    return InferenceJob(predict, body, {}, model=model, **more)


def answer_all(inference: Batcher, jobs: Sequence[InferenceJob]) -> list[Response]:
    """Let jobs wait together, and work them off."""
    waiting = RequestQueue()
    for one in jobs:
        waiting.add(one)
    while len(waiting):
        assert inference.run_next_batch(waiting)
    return [one.response for one in jobs if one.response]


def answers_of(inference: Batcher, model: Model, bodies: Sequence[bytes]) -> list[Response]:
    return answer_all(inference, [job(model, body) for body in bodies])


def encoded(documents: Sequence[Any]) -> list[bytes]:
    return [json.dumps(document).encode() for document in documents]


def test_a_fault_in_parsing_costs_one_request(
    inference: Batcher, model: Model, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    from serve.protocols.reading import json_arrays

    def faulty(body: bytes) -> object:
        if body == b"trap":
            raise ZeroDivisionError
        return json_arrays_parse(body)

    json_arrays_parse = json_arrays.parse
    monkeypatch.setattr(json_arrays, "parse", faulty)
    good = json.dumps({"image": digits.images[0].tolist()}).encode()
    answers = answers_of(inference, model, [good, b"trap", good])
    assert [answer.status for answer in answers] == [200, 500, 200]


def test_answers_that_are_no_json_numbers_are_refused(
    inference: Batcher, model: Model, digits: Digits
) -> None:
    class Overflowing(Model):
        def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
            scores = super().run(inputs)["probabilities"]
            return {"probabilities": np.where(inputs["image"][:, :1] == 9, np.nan, scores)}

    overflowing = Overflowing(model.spec, model.session, model.example)
    documents = [{"image": digits.images[0].tolist()}, {"image": [9] * 784}]
    good, bad = answers_of(
        inference, overflowing, [json.dumps(document).encode() for document in documents]
    )
    assert (good.status, bad.status) == (200, 500)
    assert "not finite" in json.loads(bad.body)["error"]


@pytest.mark.parametrize(
    ("value", "status"), [(3e38, 200), (-3e38, 200), (np.inf, 500), (-np.inf, 500), (np.nan, 500)]
)
def test_large_answers_are_finite(
    inference: Batcher, model: Model, digits: Digits, value: float, status: int
) -> None:
    """Also where the sum of their squares is not."""

    class Large(Model):
        def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
            scores = super().run(inputs)["probabilities"]
            scores[0, :2] = value
            return {"probabilities": scores}

    body = json.dumps({"image": digits.images[0].tolist()}).encode()
    assert (
        inference.respond(job(Large(model.spec, model.session, model.example), body)).status
        == status
    )


def test_joined_requests_get_their_own_answers(
    inference: Batcher, model: Model, digits: Digits
) -> None:
    bodies = [json.dumps({"images": digits.images[n : n + n % 3].tolist()}) for n in range(1, 60)]
    sent = [body.encode() for body in bodies]
    together = answers_of(inference, model, sent)
    alone = [inference.respond(job(model, body)) for body in sent]
    assert [answer.status for answer in together] == [answer.status for answer in alone]
    assert {answer.status for answer in together} == {200, 400}
    for one, other in zip(together, alone, strict=True):
        first, second = json.loads(one.body), json.loads(other.body)
        assert first.get("predictions") == second.get("predictions")
        if one.status == 200:
            np.testing.assert_allclose(first["probabilities"], second["probabilities"], atol=1e-6)
        else:
            assert one.body == other.body


def test_runs_are_joined_up_to_the_limit(chosen: Settings, model: Model, digits: Digits) -> None:
    runs: list[int] = []

    class Counted(Model):
        def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
            runs.append(len(inputs["image"]))
            return super().run(inputs)

    counted = Counted(model.spec, model.session, model.example)
    small = Batcher(dataclasses.replace(chosen, max_batch_rows=8))
    sizes = (3, 3, 3, 9, 1, 7, 1)
    bodies = [json.dumps({"images": digits.images[:n].tolist()}).encode() for n in sizes]
    assert [answer.status for answer in answers_of(small, counted, bodies)] == [200] * len(sizes)
    assert runs == [6, 3, 9, 8, 1]


def test_a_joined_run_that_fails_fails_only_its_cause(
    inference: Batcher, model: Model, digits: Digits
) -> None:
    class Fragile(Model):
        def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
            if (inputs["image"] == 255).all(axis=1).any():
                raise RuntimeError("a white image")
            return super().run(inputs)

    fragile = Fragile(model.spec, model.session, model.example)
    documents = [{"image": row.tolist()} for row in digits.images[:3]]
    documents.insert(1, {"image": [255] * 784})
    answers = answers_of(
        inference, fragile, [json.dumps(document).encode() for document in documents]
    )
    assert [answer.status for answer in answers] == [200, 500, 200, 200]
    assert json.loads(answers[1].body) == {"error": "internal error; the server's log says more"}
    assert json.loads(answers[0].body)["prediction"] == 7


def test_outputs_that_go_as_bytes_may_be_infinite(inference: Batcher, model: Model) -> None:
    class Infinite(Model):
        def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
            return {"probabilities": np.full_like(super().run(inputs)["probabilities"], np.inf)}

    infinite = Infinite(model.spec, model.session, model.example)
    tensor = {"name": "image", "shape": [1, 784], "datatype": "UINT8", "data": [0] * 784}
    statuses = []
    for binary in (True, False):
        document = {"inputs": [tensor], "parameters": {"binary_data_output": binary}}
        asked = InferenceJob(oip, json.dumps(document).encode(), {}, model=infinite)
        statuses.append(inference.respond(asked).status)
    assert statuses == [200, 500]


def test_work_that_nobody_waits_for_is_not_begun(
    inference: Batcher, model: Model, digits: Digits
) -> None:
    body = json.dumps({"image": digits.images[0].tolist()}).encode()
    now = time.monotonic()
    late = job(model, body, arrived=now - 0.2, deadline=now - 0.1)
    gone = job(model, body, arrived=now - 0.2, is_disconnected=lambda: True)
    fresh = job(model, body)
    answers = answer_all(inference, [late, gone, fresh])
    assert [answer.status for answer in answers] == [504, 499, 200]
    assert json.loads(answers[0].body) == {
        "error": "no response within 100 ms, the deadline of this request"
    }
    assert late.decoded is None
    assert gone.decoded is None


def test_an_answer_after_the_deadline_is_none(
    inference: Batcher, model: Model, digits: Digits
) -> None:
    class Slow(Model):
        def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
            time.sleep(0.02)
            return super().run(inputs)

    slow = Slow(model.spec, model.session, model.example)
    body = json.dumps({"image": digits.images[0].tolist()}).encode()
    hurried = job(slow, body, deadline=time.monotonic() + 0.01)
    patient = job(slow, body)
    assert [answer.status for answer in answer_all(inference, [hurried, patient])] == [504, 200]


def test_an_observer_that_fails_harms_no_request(
    chosen: Settings, model: Model, digits: Digits, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    watched = Batcher(chosen)
    watched.on_outputs = [fail]
    body = json.dumps({"images": digits.images[:2].tolist()}).encode()
    assert watched.respond(job(model, body)).status == 200
    assert "could not be observed" in caplog.text
