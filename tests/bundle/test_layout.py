"""What tells that the files of a version have changed."""

from pathlib import Path

import pytest

from bundle import layout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "m/1").mkdir(parents=True)
    return tmp_path


def test_a_fingerprint_changes_with_the_files(root: Path) -> None:
    empty = layout.fingerprint(root, "m", 1)
    assert empty
    model = root / "m/1/model.onnx"
    model.write_bytes(b"one")
    first = layout.fingerprint(root, "m", 1)
    assert layout.fingerprint(root, "m", 1) == first
    (root / "m/1/.editing").touch()
    assert layout.fingerprint(root, "m", 1) == first
    model.write_bytes(b"three")
    second = layout.fingerprint(root, "m", 1)
    (root / "m/1/dangling").symlink_to("nowhere")
    assert len({empty, first, second, layout.fingerprint(root, "m", 1)}) == 4
    assert layout.fingerprint(root, "m", 2) == ""
