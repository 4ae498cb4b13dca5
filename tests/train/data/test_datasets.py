from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli import class_names
from cli.errors import CommandError
from train.data import datasets
from train.errors import TrainError

GOOD: dict[str, Any] = {
    "x_train": np.full((6, 28, 28), 200, dtype=np.uint8),
    "y_train": np.array([0, 1, 2, 3, 0, 1]),
    "x_test": np.full((2, 784), 100.5, dtype=np.float64),
    "y_test": np.array([3, 2], dtype=np.uint8),
}


def write(path: Path, **changes: Any) -> Path:
    np.savez(path, **{key: value for key, value in (GOOD | changes).items() if value is not None})
    return path


def test_reads_an_npz(tmp_path: Path) -> None:
    dataset = datasets.read(write(tmp_path / "own.npz"))
    assert dataset.name == "own"
    assert dataset.x_train.shape == (6, 784)
    assert dataset.x_train.dtype == dataset.x_test.dtype == np.float32
    assert dataset.x_test[0, 0] == 100.5
    assert dataset.classes == 4


def test_the_digest_changes_with_every_array(tmp_path: Path) -> None:
    digests = {datasets.read(write(tmp_path / "a.npz")).sha256}
    for key, array in GOOD.items():
        other = array.copy()
        other.flat[0] = 3
        digests.add(datasets.read(write(tmp_path / "a.npz", **{key: other})).sha256)
    assert len(digests) == 4  # y_test begins with a 3 already
    assert datasets.read(write(tmp_path / "b.npz")).sha256 in digests


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"x_train": np.zeros((6, 32, 32))},
            r"expected shape \(N, 28, 28\) or \(N, 784\), got \(6, 3",
        ),
        ({"x_test": np.zeros((0, 784))}, r"test images: expected shape .* got \(0, 784\)"),
        ({"x_train": np.full((6, 784), "a")}, "training images: expected numbers, got <U1"),
        (
            {"x_train": np.full((6, 784), np.nan)},
            r"training images: image 0 has a pixel that is not a num",
        ),
        ({"x_train": np.full((6, 784), 256)}, "expected pixels from 0 to 255, got 256 to 256"),
        ({"x_train": np.full((6, 784), 0.5)}, "expected raw pixels 0..255"),
        ({"y_train": np.zeros(5, dtype=int)}, r"training targets: expected shape \(6,\)"),
        ({"y_test": np.array([0.5, 1])}, "test targets: expected class indices"),
        ({"y_test": np.array([-1, 1])}, "test targets: expected class indices"),
        ({"y_test": np.array([3, 10_000])}, "bad: a target is 10000; expected less than 10000"),
        ({"y_test": None}, "has no array y_test"),
        ({"x_train": np.array([{}] * 6, dtype=object)}, "not a readable"),
    ],
)
def test_names_bad_data(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainError, match=message):
        datasets.read(write(tmp_path / "bad.npz", **changes))


def test_classes_have_names(tmp_path: Path) -> None:
    dataset = datasets.read(write(tmp_path / "own.npz"))
    assert dataset.class_names == ("0", "1", "2", "3")
    file = tmp_path / "labels.txt"
    file.write_text("cat\ndog\n\u00e4sop\nyak\nemu\n")
    named = datasets.named(dataset, class_names.read(file), file)
    assert named.class_names == ("cat", "dog", "\u00e4sop", "yak", "emu")
    assert named.classes == 5
    file.write_text("cat\ndog\n")
    with pytest.raises(TrainError, match=r"labels\.txt: 2 names, but own has classes up to 3"):
        datasets.named(dataset, class_names.read(file), file)


@pytest.mark.parametrize("text", ["", "\n", "a\n\nb", "a\nb\na"])
def test_names_bad_labels(tmp_path: Path, text: str) -> None:
    file = tmp_path / "labels.txt"
    file.write_text(text)
    with pytest.raises(CommandError, match="expected one class name per line"):
        class_names.read(file)


def test_names_bad_paths(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="no such file or folder"):
        datasets.read(tmp_path / "none")
    (tmp_path / "text.csv").write_text("1,2")
    with pytest.raises(TrainError, match=r"expected a folder of IDX files, or an \.npz file"):
        datasets.read(tmp_path / "text.csv")
    (tmp_path / "half.npz").write_bytes(write(tmp_path / "a.npz").read_bytes()[:3000])
    with pytest.raises(TrainError, match="not a readable"):
        datasets.read(tmp_path / "half.npz")
