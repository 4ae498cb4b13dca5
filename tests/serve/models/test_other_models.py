"""Models with several inputs and outputs, other ranks and types, and no manifest at all."""

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.servers.live import Response, Server


@pytest.fixture(scope="module")
def others(other_repository: Path) -> Iterator[Server]:
    with Server("--models", str(other_repository)) as running:
        yield running


def post(server: Server, path: str, document: Any) -> Response:
    return server.request("POST", path, json.dumps(document))


def infer(server: Server, model: str, *inputs: dict[str, Any]) -> dict[str, Any]:
    """Data of the outputs by their names."""
    answer = post(server, f"/v2/models/{model}/infer", {"inputs": inputs})
    assert answer.status == 200, answer.body
    return {output["name"]: output["data"] for output in answer.json()["outputs"]}


def tensor(name: str, datatype: str, shape: list[int], data: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


X = [[1, 2, 3], [4, 5, 6]]


def test_two_inputs_in_every_dialect(others: Server) -> None:
    sums, twice = [[11, 12, 13], [24, 25, 26]], [20, 40]
    outputs = infer(
        others, "two", tensor("n", "INT64", [2], [10, 20]), tensor("x", "FP32", [2, 3], X)
    )
    assert outputs == {"sum": sum(sums, []), "twice": twice}  # noqa: RUF017 - two rows
    columns = {"x": X, "n": [10, 20]}
    rows = [{"x": row, "n": n} for row, n in zip(X, (10, 20), strict=True)]
    answer = post(others, "/v1/models/two:predict", {"inputs": columns})
    assert answer.json() == {"outputs": {"sum": sums, "twice": twice}}
    answer = post(others, "/v1/models/two:predict", {"instances": rows})
    assert answer.json()["predictions"] == [
        {"sum": sums[0], "twice": 20},
        {"sum": sums[1], "twice": 40},
    ]
    for document in ({"inputs": columns}, {"dataframe_records": rows}):
        answer = post(others, "/invocations?model=two", document)
        assert answer.json() == {"predictions": {"sum": sums, "twice": twice}}


def test_the_image_dialect_says_that_it_can_not_speak_for_it(others: Server) -> None:
    answer = post(others, "/predict?model=two", {"images": X})
    assert answer.status == 501
    assert "its inputs are not one tensor of shape (N, features)" in answer.json()["error"]


def test_a_batch_that_is_fixed(others: Server) -> None:
    assert infer(others, "fixed", tensor("x", "FP32", [2, 3], X))["y"] == [2, 3, 4, 5, 6, 7]
    answer = post(others, "/v1/models/fixed:predict", {"instances": X[:1]})
    assert answer.status == 400
    assert answer.json() == {"error": "this model takes 2 rows at a time, got 1"}
    config = others.request("GET", "/v2/models/fixed/config").json()
    assert (config["max_batch_size"], config["input"][0]["dims"]) == (0, [2, 3])


def test_sizes_that_are_open(others: Server) -> None:
    for steps in (1, 4):
        sequence = [[[step, 0.1] for step in range(steps)]]
        means = [(steps - 1) / 2, pytest.approx(0.1)]
        assert infer(others, "open", tensor("x", "FP64", [1, steps, 2], sequence))["mean"] == means
        answer = post(others, "/v1/models/open:predict", {"instances": sequence})
        assert answer.json() == {"predictions": [means]}
    ragged = [[[1, 2]], [[1, 2], [3, 4]]]
    answer = post(others, "/v1/models/open:predict", {"instances": ragged})
    assert answer.json() == {
        "error": "instances[1]: expected an array of 1 arrays, got an array of 2"
    }


def test_truth_values(others: Server) -> None:
    assert infer(others, "flags", tensor("x", "BOOL", [1, 2], [True, False]))["y"] == [False, True]
    answer = post(others, "/invocations?model=flags", {"inputs": [[True, False]]})
    assert answer.json() == {"predictions": [[False, True]]}
    assert post(others, "/invocations?model=flags", {"inputs": [[1, 0]]}).status == 400


def test_bytes_in_and_half_floats_out(others: Server) -> None:
    assert infer(others, "bytes", tensor("x", "UINT8", [1, 4], [0, 1, 2, 255]))["y"] == [
        0,
        1,
        2,
        255,
    ]
    answer = post(others, "/v1/models/bytes:predict", {"instances": [[0, 1, 2, 256]]})
    assert answer.json() == {"error": "row 0, value 3: 256 can't be had as uint8 without a loss"}


def test_an_output_without_rows_is_never_shared(others: Server) -> None:
    """Each request gets the sum of its own batch, however many come at once."""

    def total(count: int) -> Any:
        rows = [[1, 1]] * count
        return infer(others, "scalar", tensor("x", "FP32", [count, 2], rows))["total"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(total, range(1, 60))) == [[2 * count] for count in range(1, 60)]


def test_what_is_open_but_no_batch_is_never_shared(others: Server) -> None:
    def turned(n: int) -> Any:
        return infer(others, "turned", tensor("x", "FP32", [1, 2], [n, -n]))["y"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(turned, range(60))) == [[n, -n] for n in range(60)]


def test_requests_to_several_models_at_once_get_their_own_answers(others: Server) -> None:
    def ask(n: int) -> Any:
        match n % 3:
            case 0:
                return infer(others, "flags", tensor("x", "BOOL", [1, 2], [n % 2 == 0, True]))["y"]
            case 1:
                return infer(others, "bytes", tensor("x", "UINT8", [1, 4], [n, 0, 0, 0]))["y"][0]
        outputs = infer(
            others, "two", tensor("x", "FP32", [1, 3], [n, 0, 0]), tensor("n", "INT64", [1], [n])
        )
        return outputs["sum"][0], outputs["twice"]

    def expected(n: int) -> Any:
        return [[n % 2 != 0, False], n, (2 * n, [2 * n])][n % 3]

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(ask, range(240))) == [expected(n) for n in range(240)]


def test_what_is_not_served_is_told(other_repository: Path) -> None:
    with Server("--models", str(other_repository), "--workers", "1") as server:
        index = server.request("POST", "/v2/repository/index").json()
        states = {entry["name"]: (entry["state"], entry["reason"]) for entry in index}
        state, reason = states.pop("outside")
        assert state == "UNAVAILABLE"
        assert reason.startswith("outside/1: onnxruntime does not load it:")
        assert "External data path" in reason
        assert states.pop("text") == (
            "UNAVAILABLE",
            "text/1: x is a tensor(string), which is not supported",
        )
        assert set(states.values()) == {("READY", "")}
        answer = post(server, "/v1/models/text:predict", {"instances": ["a"]})
        assert answer.status == 503
        _, _, log = server.end(signal.SIGTERM)
    assert "serve: not served: text/1: x is a tensor(string), which is not supported" in log
