"""Requests for inference are answered past Flask; Flask, asked alone, answers the same."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bundle.golden import Tensors
from serve import settings
from serve.app import Health, create_app
from serve.inference import Inference, load
from serve.model import Model
from tests.conftest import Digits
from tests.live_server import Server
from tests.serve.test_http import REFUSALS


@pytest.fixture(scope="module")
def inference(repository: Path) -> Inference:
    return load(settings.load(["--models", str(repository)], {}))


def requests(digits: Digits) -> list[tuple[str, str, bytes | None]]:
    rows = digits.images[:5].tolist()
    valid = [{"image": rows[0]}, {"images": rows}]
    sent = [("POST", "/predict", json.dumps(document).encode()) for document in valid]
    return sent + [case[:3] for case in REFUSALS.values()]


def test_both_ways_answer_the_same(server: Server, inference: Inference, digits: Digits) -> None:
    flask = create_app(inference, Health()).test_client()
    for method, path, body in requests(digits):
        short = server.request(method, path, body)
        long = flask.open(path, method=method, data=body)
        assert (short.status, short.body) == (long.status_code, long.data)
        for header in ("Content-Type", "Content-Length"):
            assert short.headers[header] == long.headers[header]


def test_a_fault_in_parsing_costs_one_request(
    inference: Inference, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    from serve.protocols import json_arrays

    def faulty(body: bytes) -> object:
        if body == b"trap":
            raise ZeroDivisionError
        return json_arrays_parse(body)

    json_arrays_parse = json_arrays.parse
    monkeypatch.setattr(json_arrays, "parse", faulty)
    good = json.dumps({"image": digits.images[0].tolist()}).encode()
    answers = inference.answer_all([good, b"trap", good])
    assert [answer.status for answer in answers] == [200, 500, 200]


def test_answers_that_are_no_json_numbers_are_refused(inference: Inference, digits: Digits) -> None:
    model = inference.model

    class Overflowing(Model):
        def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
            scores = super().run(inputs)["probabilities"]
            return {"probabilities": np.where(inputs["image"][:, :1] == 9, np.nan, scores)}

    overflowing = Inference(Overflowing(**model.__dict__), max_rows=1024, max_batch=256)
    documents = [{"image": digits.images[0].tolist()}, {"image": [9] * 784}]
    good, bad = overflowing.answer_all([json.dumps(document).encode() for document in documents])
    assert (good.status, bad.status) == (200, 500)
    assert "not finite" in json.loads(bad.body)["error"]


def test_joined_requests_get_their_own_answers(inference: Inference, digits: Digits) -> None:
    bodies = [json.dumps({"images": digits.images[n : n + n % 3].tolist()}) for n in range(1, 60)]
    sent = [body.encode() for body in bodies]
    together = inference.answer_all(sent)
    alone = [inference.answer(body) for body in sent]
    assert [answer.status for answer in together] == [answer.status for answer in alone]
    assert {answer.status for answer in together} == {200, 400}
    for one, other in zip(together, alone, strict=True):
        first, second = json.loads(one.body), json.loads(other.body)
        assert first.get("predictions") == second.get("predictions")
        if one.status == 200:
            np.testing.assert_allclose(first["probabilities"], second["probabilities"], atol=1e-6)
        else:
            assert one == other


def test_runs_are_joined_up_to_the_limit(
    inference: Inference, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    model = inference.model

    class Counted(Model):
        def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
            runs.append(len(inputs["image"]))
            return super().run(inputs)

    counted = Counted(**model.__dict__)
    small = Inference(counted, max_rows=1024, max_batch=8)
    sizes = (3, 3, 3, 9, 1, 7, 1)
    bodies = [json.dumps({"images": digits.images[:n].tolist()}).encode() for n in sizes]
    assert [answer.status for answer in small.answer_all(bodies)] == [200] * len(sizes)
    assert runs == [6, 3, 9, 8, 1]


def test_a_joined_run_that_fails_fails_only_its_cause(inference: Inference, digits: Digits) -> None:
    model = inference.model

    class Fragile(Model):
        def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
            if (inputs["image"] == 255).all(axis=1).any():
                raise RuntimeError("a white image")
            return super().run(inputs)

    fragile = Inference(Fragile(**model.__dict__), max_rows=1024, max_batch=256)
    documents = [{"image": row.tolist()} for row in digits.images[:3]]
    documents.insert(1, {"image": [255] * 784})
    answers = fragile.answer_all([json.dumps(document).encode() for document in documents])
    assert [answer.status for answer in answers] == [200, 500, 200, 200]
    assert json.loads(answers[1].body) == {"error": "internal error; the server's log says more"}
    assert json.loads(answers[0].body)["prediction"] == 7
