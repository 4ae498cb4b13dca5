"""What is refused leaves nothing behind: no memory, and no more than a few words of the request."""

import gc
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bundle.golden import Tensors
from serve import command_line
from serve.inference.batching import Batcher
from serve.inference.inference_job import InferenceJob
from serve.models import catalog
from serve.models.session import Model
from serve.protocols import mlflow, oip, predict, tfserving
from serve.protocols.interface import InferenceProtocol
from tests.servers.live import Server
from tests.servers.processes import workers

LONG = "\x1b[31mkey\n" + "k" * 100_000
ROW = [0] * 784
TENSOR: dict[str, Any] = {"name": "image", "shape": [1, 784], "datatype": "FP32", "data": ROW}

REFUSED: list[tuple[InferenceProtocol, dict[str, str], Any]] = [
    (predict, {}, "no JSON"),
    (predict, {}, {"images": [[0] * 785]}),
    (predict, {}, {"images": [ROW, [0] * 783]}),
    (predict, {}, {"images": [[LONG] * 784]}),
    (predict, {}, {"images": [[{LONG: 0}] * 784]}),
    (predict, {}, {"images": [[256] * 784]}),
    (predict, {}, {"images": []}),
    (predict, {}, {"images": [{"b64": LONG, "dtype": "uint8", "shape": [1, 784]}]}),
    (predict, {}, {LONG: 1}),
    (predict, {"CONTENT_ENCODING": LONG}, {"images": [ROW]}),
    (tfserving, {}, {"instances": [{LONG: ROW}]}),
    (tfserving, {}, {"instances": [ROW], "inputs": [ROW]}),
    (tfserving, {}, {"instances": [ROW], "signature_name": LONG}),
    (tfserving, {}, {"inputs": {LONG: [ROW]}}),
    (tfserving, {}, {"instances": [[[0]] * 784]}),
    (mlflow, {}, {"dataframe_split": {"columns": [LONG], "data": [ROW]}}),
    (mlflow, {}, {"dataframe_records": [{LONG: 1, "a": 2}, {"b": 1}]}),
    (mlflow, {}, {"inputs": {LONG: [ROW]}}),
    (mlflow, {"CONTENT_TYPE": LONG}, {"inputs": [ROW]}),
    (mlflow, {"CONTENT_TYPE": f"application/json; {LONG}"}, {"inputs": [ROW]}),
    (mlflow, {"CONTENT_TYPE": "text/csv"}, LONG),
    (oip, {}, {"inputs": [TENSOR | {"name": LONG}]}),
    (oip, {}, {"inputs": [TENSOR | {"datatype": LONG}]}),
    (oip, {}, {"inputs": [TENSOR | {"shape": [LONG, 784]}]}),
    (oip, {}, {"inputs": [TENSOR | {"shape": [1] * 9}]}),
    (oip, {}, {"inputs": [TENSOR | {"data": [LONG]}]}),
    (oip, {}, {"inputs": [TENSOR], "outputs": [{"name": LONG}]}),
    (oip, {}, {"inputs": [TENSOR | {"parameters": {"binary_data_size": LONG}}]}),
    (oip, {"INFERENCE_HEADER_CONTENT_LENGTH": LONG}, {"inputs": [TENSOR]}),
]


@pytest.fixture(scope="module")
def model(repository: Path) -> Model:
    return catalog.load(command_line.load(["--models", str(repository)], {})).find()


@pytest.fixture
def inference(repository: Path) -> Batcher:
    return Batcher(command_line.load(["--models", str(repository)], {}))


@pytest.fixture
def _no_collector() -> Iterator[None]:
    """Only what is let go of is freed; rings of objects that refer to each other stay."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize(("protocol", "headers", "document"), REFUSED)
def test_nothing_refers_to_a_refused_body(
    inference: Batcher,
    model: Model,
    protocol: InferenceProtocol,
    headers: dict[str, str],
    document: Any,
) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    body = text.encode()
    before = sys.getrefcount(body)
    job = InferenceJob(protocol, body, headers, model=model)
    answer = inference.respond(job)
    assert 400 <= answer.status < 500
    assert sys.getrefcount(body) == before
    assert job.decoded is None


@pytest.mark.parametrize(("protocol", "headers", "document"), REFUSED)
def test_a_refusal_repeats_little_of_the_request(
    inference: Batcher,
    model: Model,
    protocol: InferenceProtocol,
    headers: dict[str, str],
    document: Any,
) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    answer = inference.respond(InferenceJob(protocol, text.encode(), headers, model=model))
    assert answer.error
    assert len(answer.body) < 700
    assert str(answer.error).isprintable()
    assert "k" * 201 not in str(answer.error)


def test_an_answer_that_a_dialect_has_no_form_for_is_not_an_error_of_ours(
    inference: Batcher, model: Model
) -> None:
    class Scalar(Model):
        def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
            scores = super().run(inputs)["probabilities"]
            return {"probabilities": scores, "mean": np.array(scores.mean())}

    scalar = Scalar(model.spec, model.session, model.example)
    body = json.dumps({"instances": [ROW]}).encode()
    answer = inference.respond(InferenceJob(tfserving, body, {}, model=scalar))
    assert answer.status == 501
    expected = b"output mean has no rows: ask for columns, with inputs"
    assert expected in answer.body


def most_memory(pid: int) -> int:
    """Bytes that a process has had at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


MEGABYTES = 14 * 2**20
LARGE = {
    "keys": '{"rows":[{' + ",".join(f'"{n:x}":0' for n in range(MEGABYTES // 10)) + "}]}",
    "cells": '{"rows":[[' + "0," * (MEGABYTES // 2) + "0]]}",
    "arrays": '{"rows":[{"age":[' + "[]," * (MEGABYTES // 3) + '0],"job":"","paid":null}]}',
    "text": '{"rows":[{"age":1,"job":"' + "x" * MEGABYTES + '","paid":null}]}',
    "names": '{"rows":[[1]],"columns":[' + '"age",' * (MEGABYTES // 6) + '"age"]}',
}


def test_many_large_refused_tables_take_the_memory_of_few(table_repository: Path) -> None:
    with Server("--models", str(table_repository), "--workers", "1") as server:
        (worker,) = workers(server)
        most = []
        for _ in range(4):
            for body in LARGE.values():
                answer = server.request("POST", "/predict?model=people", body)
                assert answer.status == 400
                assert len(answer.body) < 700
            most.append(most_memory(worker))
        assert most[-1] < most[0] + 100 * 2**20


def test_many_large_refused_bodies_take_the_memory_of_few(repository: Path) -> None:
    """One after another, of 14 MB each: 30 of them took 3.2 GB in one worker."""
    body = b'{"images":[[' + b"0," * 7_340_032 + b"0]]}"
    with Server("--models", str(repository), "--workers", "1") as server:
        (worker,) = workers(server)
        for _ in range(3):
            assert server.request("POST", "/predict", body).status == 400
        few = most_memory(worker)
        for _ in range(20):
            answer = server.request("POST", "/predict", body)
            assert answer.status == 400
            assert "got an array of 7340033" in answer.json()["error"]
        assert most_memory(worker) < few + 100 * 2**20
        with ThreadPoolExecutor(8) as clients:
            answers = list(
                clients.map(lambda _: server.request("POST", "/predict", body), range(40))
            )
        assert {answer.status for answer in answers} <= {400, 429}
        # Up to 128 MiB of bodies wait (--max-inflight-bytes), while one is parsed.
        assert most_memory(worker) < few + (128 + 100) * 2**20
