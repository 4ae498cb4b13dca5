"""What is sent, to a real server: each protocol and size, and models of several tensors."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.load import answer_check, golden_rows, prepared_request
from benchmarks.load.golden_rows import GoldenModel, GoldenRows
from benchmarks.load.prepared_request import MIX, SIZES, RequestPool
from benchmarks.load.protocols import PROTOCOLS, Model
from bundle import writer
from bundle.golden import Golden
from bundle.manifest import Manifest, TensorSpec
from tests.servers.live import Server


@pytest.mark.parametrize(("protocol", "rows"), [*itertools.product(PROTOCOLS, SIZES)])
def test_each_protocol_and_size(host: str, golden: GoldenModel, protocol: str, rows: int) -> None:
    for prepared in RequestPool(golden.model, golden.rows).requests(protocol, rows)[:2]:
        answer_check.check(host, prepared)
        assert prepared.name == f"{protocol} x {rows}"


def test_tables_in_each_protocol(table_repository: Path) -> None:
    for name in ("people", "prices"):
        golden = golden_rows.published(table_repository, name)
        with Server(
            "--models", str(table_repository), "--default-model", name, "--workers", "1"
        ) as server:
            for protocol in PROTOCOLS:
                for prepared in RequestPool(golden.model, golden.rows).requests(protocol, 8)[:2]:
                    answer_check.check(f"http://127.0.0.1:{server.port}", prepared)


def test_a_table_is_sent_by_names(table_repository: Path) -> None:
    golden = golden_rows.published(table_repository, "people")
    prepared = prepared_request.prepare("predict", golden.model, golden.rows, 3)
    assert json.loads(prepared.request.body) == {
        "rows": [
            {"age": 39, "job": "admin", "paid": True},
            {"age": 20, "job": "nurse", "paid": False},
            {"age": 65, "job": "other, [none]", "paid": None},
        ]
    }


def test_wrong_answers_are_noticed(server: Server, golden: GoldenModel, host: str) -> None:
    one, other = RequestPool(golden.model, golden.rows).requests("predict", 8)[:2]
    answer = server.request("POST", other.request.path, other.request.body)
    assert other.fault(answer.body) is None
    assert one.fault(answer.body) == "8 of 8 rows are wrong"
    scores = other.expected.outputs["probabilities"].copy()
    scores[3, 5] += 0.001
    nearly = json.dumps({"probabilities": scores.tolist()}).encode()
    assert other.fault(nearly) == "1 of 8 rows are wrong"
    short = json.dumps({"probabilities": scores[:5].tolist()}).encode()
    assert other.fault(short) == "50 values instead of 80"
    for bad in (b"not JSON", b'{"predictions": 5}', b"", None):
        assert other.fault(bad) == f"not an answer of this protocol: {bad or b''!r}"
    swapped = prepared_request.PreparedRequest(
        "predict x 8", 8, one.request, other.expected, one.protocol, one.model
    )
    with pytest.raises(BenchmarkError, match=r"answers /predict \(predict x 8\) wrongly: 8 of 8"):
        answer_check.check(host, swapped)


def spec(name: str, dtype: str, shape: tuple[int, ...]) -> TensorSpec:
    return TensorSpec(name=name, dtype=dtype, shape=shape)


@pytest.fixture(scope="module")
def tables(other_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two/1, of two inputs and two outputs, and its golden rows."""
    folder = tmp_path_factory.mktemp("tables")
    x, n = np.arange(12, dtype="f4").reshape(4, 3) / 4, np.array([5, -6, 700, 8])
    golden = Golden({"x": x, "n": n}, {"sum": x + n[:, None].astype("f4"), "twice": 2 * n})
    manifest = Manifest(
        name="two",
        version=1,
        created="2026-01-01T00:00:00Z",
        files={},
        inputs=(spec("x", "float32", (-1, 3)), spec("n", "int64", (-1,))),
        outputs=(spec("sum", "float32", (-1, 3)), spec("twice", "int64", (-1,))),
    )
    model = (other_repository / "two/1/model.onnx").read_bytes()
    writer.publish(folder, manifest, {"model.onnx": model, "golden.npz": golden.to_npz()})
    return folder


@pytest.fixture(scope="module")
def tables_host(tables: Path) -> Iterator[str]:
    with Server("--models", str(tables)) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.mark.parametrize("protocol", ["oip", "oip-binary", "tfserving", "mlflow"])
def test_a_model_of_several_inputs_and_outputs(
    protocol: str, tables: Path, tables_host: str
) -> None:
    golden = golden_rows.served(tables_host, "two", tables)
    for rows in (1, 3, 9):
        prepared = prepared_request.prepare(protocol, golden.model, golden.rows, rows, first=2)
        answer_check.check(tables_host, prepared)


def test_predict_is_for_one_input_and_one_output(tables: Path) -> None:
    golden = golden_rows.published(tables, "two")
    with pytest.raises(BenchmarkError, match="predict is for models of one input and one output"):
        prepared_request.prepare("predict", golden.model, golden.rows, 1)


def test_the_mix_has_its_weights_in_an_order_of_each_users_own() -> None:
    rows = GoldenRows({"x": np.zeros((9, 2), "f4")}, {"y": np.zeros((9, 1), "f4")}, 1e-4)

    def orders(first: int) -> list[list[int]]:
        pool = RequestPool(Model("m", {"x": "FP32"}, ["y"]), rows, first)
        users = [pool.endless("oip-binary", None) for _ in range(2)]
        return [[one.rows for one in itertools.islice(user, 10_000)] for user in users]

    one, other = orders(0)
    assert one != other
    assert orders(0) == [one, other]
    assert orders(1)[0] == other
    for sizes in (one, other):
        assert {size: sizes.count(size) / 100 for size in MIX} == MIX
