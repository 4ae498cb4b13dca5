"""Arrays that come back from MLflow's artifacts."""

from pathlib import Path

import numpy as np
import pytest

from tracking import artifacts


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return Path.touch, (Path("harmed"),)


def test_pickled_arrays_are_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever can write to the MLflow store must not run code where a model is exported."""
    monkeypatch.chdir(tmp_path)
    np.savez("test_set.npz", x=np.array([Harmful()], object), y=np.arange(3))
    (y,) = artifacts.read_arrays(Path("test_set.npz"), "y")
    assert y.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match=r"test_set\.npz has no x: Object arrays"):
        artifacts.read_arrays(Path("test_set.npz"), "x")
    assert not Path("harmed").exists()


@pytest.mark.filterwarnings("error")
def test_only_whole_numbers_are_bytes() -> None:
    assert artifacts.are_bytes(np.array([0.0, 255.0], np.float32))
    for values in ([1.0, np.nan], [0.5], [-1.0], [256.0]):
        assert not artifacts.are_bytes(np.array(values, np.float32))
