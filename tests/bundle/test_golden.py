import io

import numpy as np
import pytest

from bundle.errors import BundleError
from bundle.golden import TOLERANCE, Golden
from tests.bundle.example import GOLDEN


def test_reads_what_it_wrote() -> None:
    read = Golden.from_npz(GOLDEN.to_npz())
    np.testing.assert_array_equal(read.inputs["x"], GOLDEN.inputs["x"])
    np.testing.assert_array_equal(read.outputs["y"], GOLDEN.outputs["y"])
    assert read.inputs["x"].dtype == np.float32


def test_compares_texts() -> None:
    texts = np.array(["no", "yes"], object)  # as onnxruntime answers
    golden = Golden.from_npz(Golden({"x": np.eye(2)}, {"label": texts}).to_npz())
    golden.check({"label": texts})
    with pytest.raises(BundleError, match="label has other texts than published"):
        golden.check({"label": texts[::-1]})


def test_same_arrays_same_bytes() -> None:
    assert GOLDEN.to_npz() == GOLDEN.to_npz()


def test_never_unpickles() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **{"inputs/x": np.array([{"an": "object"}], dtype=object)})
    with pytest.raises(BundleError, match="allow_pickle=False"):
        Golden.from_npz(buffer.getvalue())


def lone_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut off", GOLDEN.to_npz()[:-40], lone_array()])
def test_refuses_damaged_files(data: bytes) -> None:
    with pytest.raises(BundleError, match="not a file of golden answers"):
        Golden.from_npz(data)


def test_accepts_answers_within_the_tolerance() -> None:
    GOLDEN.check({"y": GOLDEN.outputs["y"] + np.float32(TOLERANCE / 2)})


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"z": GOLDEN.outputs["y"]}, "no output 'y'"),
        ({"y": GOLDEN.outputs["y"][:2]}, r"shape \(2, 2\), expected \(3, 2\)"),
        ({"y": GOLDEN.outputs["y"] + np.float32(0.01)}, "differs by 0.01"),
        ({"y": GOLDEN.outputs["y"] * np.float32("nan")}, "differs by nan"),
    ],
)
def test_refuses_other_answers(outputs: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        GOLDEN.check(outputs)
