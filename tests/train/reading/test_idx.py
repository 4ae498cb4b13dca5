import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.train.reading.reads import read
from train.errors import TrainError
from train.reading import idx


def encode(array: NDArray[np.uint8]) -> bytes:
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return head + array.tobytes()


IMAGES = (np.arange(5 * 784) % 256).astype(np.uint8).reshape(5, 28, 28)
LABELS = np.array([0, 1, 2, 1, 0], dtype=np.uint8)


def write(folder: Path, naming: str) -> None:
    for part in ("train", "t10k"):
        for kind, array in (("images", IMAGES), ("labels", LABELS)):
            name = naming.format(part=part, kind=kind, rank=array.ndim)
            content = encode(array)
            (folder / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)


def test_parses_what_the_format_says() -> None:
    np.testing.assert_array_equal(idx.parse(encode(IMAGES)), IMAGES)
    head = struct.pack(">BBBBI", 0, 0, 0x0D, 1, 2)
    np.testing.assert_array_equal(idx.parse(head + struct.pack(">2f", 1.5, -2)), [1.5, -2])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (b"\x1f\x8b\x08\x00", "not an IDX file"),
        (encode(IMAGES)[:9], "the header is incomplete"),
        (encode(IMAGES)[:-1], "has 3935 bytes, but its header says 3936"),
        (encode(IMAGES) + b"x", "has 3937 bytes, but its header says 3936"),
    ],
)
def test_refuses_what_is_none(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        idx.parse(content)


@pytest.mark.parametrize(
    "naming",
    [
        "{part}-{kind}-idx{rank}-ubyte",
        "{part}-{kind}-idx{rank}-ubyte.gz",
        "{part}-{kind}.idx{rank}-ubyte",
    ],
)
def test_reads_a_folder_under_the_usual_names(tmp_path: Path, naming: str) -> None:
    write(tmp_path, naming)
    dataset = read(tmp_path)
    assert dataset.name == tmp_path.name
    np.testing.assert_array_equal(dataset.x_test, IMAGES.reshape(5, 784))
    np.testing.assert_array_equal(dataset.y_train, LABELS)
    assert dataset.classes == 3


def test_names_the_file_that_is_missing_or_damaged(tmp_path: Path) -> None:
    write(tmp_path, "{part}-{kind}-idx{rank}-ubyte.gz")
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(TrainError, match=r"t10k-images-idx3-ubyte\.gz: "):
        read(tmp_path)
    path.unlink()
    with pytest.raises(TrainError, match="no file t10k-images-idx3-ubyte"):
        read(tmp_path)
