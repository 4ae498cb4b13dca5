"""The number kernel: how it is found, what it takes, and what it leaves to others."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundle.manifest import TensorSpec
from serve.models.spec import ModelSpec
from serve.protocols import mlflow, oip, predict, tfserving
from serve.protocols.number_kernel import build, extract, library
from serve.protocols.reading import json_document
from tests.conftest import ROOT, Digits
from tests.number_kernel import compiled
from tests.number_kernel.comparison import outcome, without_kernel
from tests.number_kernel.compiled import needs_cc
from tests.servers import live
from tests.servers.live import Server

SCORES = TensorSpec(name="scores", dtype="float32", shape=(-1, 2))
ROWS = [[0, 1, 2, 3, 4, 5, 6, 7, 255], [9, 8, 7, 6, 5, 4, 3, 2, 1], [0, 0, 0, 0, 0, 0, 0, 0, 10]]
OIP: dict[str, Any] = {"name": "image", "shape": [3, 9], "datatype": "FP32", "data": ROWS}
BODIES = [
    (predict, {"image": [ROWS[0][:3], ROWS[0][3:6], ROWS[0][6:]]}),
    (predict, {"images": ROWS}),
    (oip, {"inputs": [OIP], "id": "7"}),
    (
        oip,
        {
            "inputs": [OIP | {"data": [value for row in ROWS for value in row]}],
            "outputs": [{"name": "scores"}],
        },
    ),
    (tfserving, {"instances": ROWS}),
    (tfserving, {"instances": [{"image": row} for row in ROWS]}),
    (tfserving, {"inputs": {"image": ROWS}, "signature_name": "serving_default"}),
    (mlflow, {"inputs": ROWS, "params": {"a": 1}}),
    (mlflow, {"instances": ROWS}),
    (mlflow, {"dataframe_split": {"columns": list("abcdefghi"), "index": [0, 1, 2], "data": ROWS}}),
    (mlflow, {"dataframe_records": [{"image": row} for row in ROWS]}),
]
ONE_ROW = TensorSpec(name="image", dtype="float32", shape=(1, 9), range=(0, 255))
LONG = 16 * 2**20


def model_spec(dtype: str = "float32", columns: int = 9) -> ModelSpec:
    spec = TensorSpec(name="image", dtype=dtype, shape=(-1, columns), range=(0, 255))
    return ModelSpec("m", 1, (spec,), (SCORES,))


@pytest.fixture(autouse=True)
def _kernel() -> None:
    compiled.compile_if_needed()


def taken(body: bytes, dtype: str = "float32", columns: int = 4, flat: bool = True) -> Any:
    spec = model_spec(dtype, columns).inputs[0]
    return extract.extract(body, spec, max_rows=10, flat=flat)


@pytest.mark.parametrize(("protocol", "document"), BODIES)
def test_takes_the_numbers_of_every_dialect(
    protocol: Any, document: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the document is read without the kernel")

    monkeypatch.setattr(json_document, "Arrays", refuse)
    for separators in ((",", ":"), (", ", ": ")):
        body = json.dumps(document, separators=separators).encode()
        for _ in range(2):  # what has been read once is remembered
            found = protocol.parse(body, {}, model_spec(), 3).inputs["image"]
            expected = ROWS[:1] if "image" in document else ROWS
            np.testing.assert_array_equal(found, np.array(expected, np.float32))
            assert found.dtype == np.float32


@pytest.mark.parametrize(("protocol", "document"), BODIES)
def test_a_body_that_is_cut_off_anywhere(
    protocol: Any, document: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps(document).encode()
    cut = [body[:length] + end for length in range(len(body)) for end in (b"", b"}", b"]}")]

    def outcomes() -> list[Any]:
        return [outcome(lambda: protocol.parse(one, {}, model_spec(), 3)) for one in cut]  # noqa: B023

    found = outcomes()
    monkeypatch.setattr(json_document, "read", without_kernel)
    assert found == outcomes()


@pytest.mark.parametrize(
    "inside",
    [
        *(b"[" * LONG, b"[[0]," * (LONG // 5), b"[" + b"0," * (LONG // 2) + b"0]"),
        *(b"[" + b"1e400," * (LONG // 6) + b"0]", b"[" + b"7" * LONG + b"]", b"[0." + b"0" * LONG),
        *(b"[0" + b" " * LONG, b"[" + b"0,0,0,0" * (LONG // 7) + b"]", b'"' + b"[" * LONG),
        *(b"[-" * (LONG // 2), b"[" + b"-1," * (LONG // 3) + b"0]", b" " * LONG + b"[0]"),
    ],
    ids=lambda inside: inside[:8].decode(),
)
def test_sixteen_megabytes_of_the_same(inside: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"images":' + inside + b"}"
    found = outcome(lambda: predict.parse(body, {}, model_spec(), 10))
    monkeypatch.setattr(json_document, "read", without_kernel)
    assert found == outcome(lambda: predict.parse(body, {}, model_spec(), 10))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "uint64", "float64"])
def test_integers_go_to_the_dtype_of_the_input_at_once(dtype: str) -> None:
    found = taken(b'{"images":[[0,1,2,255],[0,0,0,0]]}', dtype)
    assert found.remainder == b'{"images":[[],[]]}'
    assert found.numbers.dtype == dtype
    assert found.numbers.tolist() == [0, 1, 2, 255, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("body", "dtype"),
    [
        *((b'{"x":[1,2,3,256]}', "float32"), (b'{"x":[[1,2,3,-1]]}', "float32")),
        *((b'{"x":[[1,2,3,256]]}', "uint8"), (b'{"x":[[1,2,3,4.0]]}', "uint8")),
        *((b'{"x":[[1,2,3,128]]}', "int8"), (b'{"x":[[1,2,3,1e1]]}', "int8")),
        *((b'{"x":[[1,2,3,true]]}', "float32"), (b'{"x":[[1,2,3,"4"]]}', "float32")),
        *((b'{"x":[[1,2,3,4]],"y":"\\n"}', "float32"), (b'{"x":[[1,2,3,4]],"y":[]}', "float32")),
        *((b'{"x":[[1,2,3,04]]}', "float32"), (b'{"x":[[1,2,3,4,]]}', "float32")),
        *((b"[[1,2,3,4]]", "float32"), (b"", "float32"), (b'{"x":[[1,2,3]]}', "float32")),
        (b'{"x":[' + b",".join([b"[1,2,3,4]"] * 2000) + b"]}", "float32"),
        (b'{"x":[[1,2,3,4]]}', "float16"),
    ],
)
def test_what_is_unusual_is_left_to_others(body: bytes, dtype: str) -> None:
    assert taken(body, dtype) is None


def test_other_arrays_stay_where_they_are() -> None:
    shape = b'{"shape":[1,4],"names":["[1,2,3,4]"],"index":[0,1,2],"data":%s,"more":[1e999]}'
    found = taken(shape % b"[ [1, 2,3 , 4] ]")
    assert found.remainder == shape % b"[ [] ]"
    assert (found.numbers.tolist(), found.width) == ([1, 2, 3, 4], 4)
    flat = b'{"data":[1,2,3,4,5,6,7,8,9,10,11,12]}'
    assert taken(flat).width == 12
    assert taken(flat, flat=False) is None


@pytest.mark.parametrize("rows", [1, 200])
def test_each_request_has_memory_of_its_own(rows: int) -> None:
    def parse(number: int) -> Any:
        body = json.dumps({"images": [[number] * 784] * rows}).encode()
        return predict.parse(body, {}, model_spec(columns=784), rows).inputs["image"]

    first, second = parse(1), parse(2)
    assert not np.shares_memory(first, second)
    assert (first == 1).all()
    assert first.shape == (rows, 784)
    # A body of commas could fill no more than half of its length, and max_rows bounds the rest.
    owner = first if first.base is None else first.base
    assert owner.size <= rows * 784


def test_what_is_remembered_is_bounded() -> None:
    for number in range(300):
        body = json.dumps({"images": ROWS, "note": number}).encode()
        assert predict.parse(body, {}, model_spec(), 3).rows == 3
    long = json.dumps({"images": ROWS, "note": "x" * 5000}).encode()
    assert predict.parse(long, {}, model_spec(), 3).rows == 3
    assert len(json_document._remembered) <= 128
    known = len(json_document._remembered)
    assert predict.parse(long.replace(b"xx", b"yy"), {}, model_spec(), 3).rows == 3
    assert len(json_document._remembered) == known


def test_what_is_remembered_is_not_taken_for_another_model() -> None:
    body = json.dumps({"images": ROWS}).encode()
    few, one = model_spec(), ModelSpec("n", 1, (ONE_ROW,), (SCORES,))
    assert predict.parse(body, {}, few, 3).rows == 3
    for _ in range(2):
        assert outcome(lambda: predict.parse(body, {}, one, 3))[1] == 400
        assert outcome(lambda: predict.parse(body, {}, few, 2))[1] == 413


def test_a_file_that_is_not_of_these_sources_is_not_loaded(tmp_path: Path) -> None:
    whole = library.FILE.read_bytes()
    file = tmp_path / "kernel.so"
    assert str(library.read(file)).startswith("off (not compiled")
    for content in (b"", whole[:-1], whole[: len(whole) // 2], b"\0" + whole[1:], whole + b"\0"):
        file.write_bytes(content)
        said = "off (kernel.so is not what the sources beside it compile to)"
        assert str(library.read(file)) == said
    file.write_bytes(b"text" + library.digest(b"text"))
    assert "can't be loaded" in str(library.read(file))
    file.write_bytes(whole)
    assert str(library.read(file)) == "on"


@needs_cc
def test_two_builds_are_the_same(tmp_path: Path) -> None:
    build.build(tmp_path / "kernel.so")
    assert (tmp_path / "kernel.so").read_bytes() == library.FILE.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["kernel.so"]


@pytest.fixture
def without(tmp_path: Path) -> Path:
    """The server's own code in another folder, where nothing is compiled."""
    for part in ("bundle", "serve"):
        ignored = shutil.ignore_patterns("kernel.so", ".build-*", "__pycache__")
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignored)
    return tmp_path


def run(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *words]
    env = live.os.environ | environment
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


@needs_cc
def test_a_build_without_a_compiler(without: Path) -> None:
    module = "serve.protocols.number_kernel.build"
    for compiler in ("no-such-compiler", "false"):
        done = run(module, cwd=without, CC=compiler)
        assert done.returncode == 1
        assert done.stderr.startswith("no number kernel, so JSON takes longer to parse: ")
        assert done.stderr.count("\n") == 1
    assert not list(without.rglob("kernel.so"))
    done = run(module, cwd=without)
    assert (done.returncode, done.stdout) == (
        0,
        "compiled serve/protocols/number_kernel/kernel.so\n",
    )


def test_check_says_whether_there_is_one(without: Path, repository: Path) -> None:
    for folder, said in (
        (ROOT, "number kernel: on"),
        (without, "number kernel: off (not compiled"),
    ):
        done = run("serve", "check", "--models", str(repository), cwd=folder)
        assert done.returncode == 0
        assert done.stdout.splitlines()[-1].startswith(said)


def test_a_server_without_it_says_so_and_answers_the_same(
    without: Path, repository: Path, server: Server, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {"images": digits.images[:5].tolist()}
    expected = server.predict(document)
    monkeypatch.setattr(live, "ROOT", without)
    with Server("--models", str(repository), "--workers", "1") as plain:
        assert plain.predict(document).body == expected.body
        assert b'number_kernel="off"' in plain.request("GET", "/metrics").body
    assert "number kernel: off (not compiled" in plain.kernel_warning
    assert b'number_kernel="on"' in server.request("GET", "/metrics").body
