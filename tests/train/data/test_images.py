from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cli import class_names
from cli.errors import CommandError
from tests.train.reading.reads import read
from train.data.dataset import named
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
    dataset = read(write(tmp_path / "own.npz"))
    assert dataset.name == "own"
    assert dataset.x_train.shape == (6, 784)
    assert dataset.x_train.dtype == dataset.x_test.dtype == np.float32
    assert dataset.x_test[0, 0] == 100.5
    assert dataset.classes == 4


@pytest.mark.parametrize(("highest", "expected"), [(0.7, 1.0), (16, 16.0), (17, 255.0)])
def test_the_range_of_pixels_is_found(tmp_path: Path, highest: float, expected: float) -> None:
    x = np.full((6, 5, 4), highest)
    dataset = read(write(tmp_path / "own.npz", x_train=x, x_test=x[:2]))
    assert (dataset.shape, dataset.range) == ((5, 4), (0.0, expected))
    assert dataset.x_train.max() == np.float32(highest)


def test_images_without_a_test_part_are_split(tmp_path: Path) -> None:
    targets = np.repeat([0, 1], [40, 10])
    np.savez(tmp_path / "own.npz", features=np.ones((50, 3, 3)), targets=targets)
    dataset = read(tmp_path / "own.npz", test_split=0.2)
    assert dataset.x_train.shape == (40, 9)
    assert [np.bincount(part).tolist() for part in (dataset.y_train, dataset.y_test)] == [
        *([32, 8], [8, 2])
    ]


def test_scikit_learn_s_digits_are_images_of_another_size() -> None:
    dataset = read("digits")
    assert (dataset.shape, dataset.range, dataset.classes) == ((8, 8), (0.0, 16.0), 10)
    assert len(dataset.x_train) + len(dataset.x_test) == 1797
    with pytest.raises(TrainError, match="digits: --target, --drop and --id name columns"):
        read("digits", drop=("x",))


def test_a_folder_of_images_by_class(tmp_path: Path) -> None:
    for name, grey in (("dark", 10), ("light", 200)):
        (tmp_path / name).mkdir()
        for number in range(5):
            picture = Image.new("RGB", (30, 20), (grey, grey, grey))
            picture.save(tmp_path / name / f"{number}.{'jpg' if number else 'png'}")
    dataset = read(tmp_path, size=6)
    assert dataset.class_names == ("dark", "light")
    assert (dataset.x_train.shape, dataset.range) == ((8, 36), (0.0, 255.0))
    np.testing.assert_allclose(dataset.x_test[dataset.y_test == 1], 200, atol=1)
    broken = tmp_path / "dark/9.png"
    broken.write_bytes(b"no image")
    with pytest.raises(TrainError, match=r"dark/9\.png: not a readable image"):
        read(tmp_path)
    (tmp_path / "empty").mkdir()
    broken.unlink()
    with pytest.raises(TrainError, match="empty: no images; expected files that end in"):
        read(tmp_path)


def test_the_digest_changes_with_every_array(tmp_path: Path) -> None:
    digests = {read(write(tmp_path / "a.npz")).sha256}
    for key, array in GOOD.items():
        other = array.copy()
        other.flat[0] = 3
        digests.add(read(write(tmp_path / "a.npz", **{key: other})).sha256)
    assert len(digests) == 4  # y_test begins with a 3 already
    assert read(write(tmp_path / "b.npz")).sha256 in digests


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"x_train": np.full((6, 28, 28, 3), 200)},
            r"expected grey images of shape .* or \(N, 784\), got \(6, 28, 28, 3\)",
        ),
        (
            {"x_train": np.full((6, 32, 32), 200)},
            r"training images have the shape \(32, 32\), test images \(28, 28\)",
        ),
        ({"x_test": np.zeros((0, 784))}, r"test images: expected grey .* got \(0, 28, 28\)"),
        ({"x_train": np.full((6, 784), "a")}, "training images: expected numbers, got <U1"),
        (
            {"x_train": np.full((6, 784), np.nan)},
            r"training images: image 0 has a pixel that is not a num",
        ),
        ({"x_train": np.full((6, 784), 256)}, "expected pixels from 0 to 255, got 256 to 256"),
        (
            {"x_train": np.full((6, 784), 0.5)},
            r"pixels run to 0\.5 in training images, but to 100\.5 in test images",
        ),
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
        read(write(tmp_path / "bad.npz", **changes))


def test_classes_have_names(tmp_path: Path) -> None:
    dataset = read(write(tmp_path / "own.npz"))
    assert dataset.class_names == ("0", "1", "2", "3")
    file = tmp_path / "labels.txt"
    file.write_text("cat\ndog\n\u00e4sop\nyak\nemu\n")
    known = named(dataset, class_names.read(file), file)
    assert known.class_names == ("cat", "dog", "\u00e4sop", "yak", "emu")
    assert known.classes == 5
    file.write_text("cat\ndog\n")
    with pytest.raises(TrainError, match=r"labels\.txt: 2 names, but own has classes up to 3"):
        named(dataset, class_names.read(file), file)


@pytest.mark.parametrize("text", ["", "\n", "a\n\nb", "a\nb\na"])
def test_names_bad_labels(tmp_path: Path, text: str) -> None:
    file = tmp_path / "labels.txt"
    file.write_text(text)
    with pytest.raises(CommandError, match="expected one class name per line"):
        class_names.read(file)


def test_names_bad_paths(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="no such file or folder"):
        read(tmp_path / "none")
    (tmp_path / "text.txt").write_text("1,2")
    with pytest.raises(TrainError, match=r"expected a CSV, Parquet or \.npz file, or a folder"):
        read(tmp_path / "text.txt")
    with pytest.raises(TrainError, match=r"expected IDX files .*, or a folder per class"):
        read(tmp_path)
    with pytest.raises(TrainError, match="only CSV and Parquet files can be read together"):
        read("mnist", "digits")
    (tmp_path / "half.npz").write_bytes(write(tmp_path / "a.npz").read_bytes()[:3000])
    with pytest.raises(TrainError, match="not a readable"):
        read(tmp_path / "half.npz")
