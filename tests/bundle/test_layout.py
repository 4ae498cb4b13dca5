"""Where things lie in a model repository, as far as the labels go."""

import os
from pathlib import Path

import pytest

from bundle import layout
from bundle.errors import BundleError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "m/1").mkdir(parents=True)
    return tmp_path


def test_a_model_may_have_no_labels(root: Path) -> None:
    assert layout.labels(root, "m") == {}


def test_labels_name_versions(root: Path) -> None:
    (root / "m/labels.json").write_text('{"stable": 3, "canary-2": 12}')
    assert layout.labels(root, "m") == {"stable": 3, "canary-2": 12}
    assert layout.models(root) == ["m"]
    assert layout.versions(root, "m") == [1]


def test_labels_that_would_never_be_read_are_refused(root: Path) -> None:
    os.mkfifo(root / "m/labels.json")
    with pytest.raises(BundleError, match=r"labels\.json: not a file"):
        layout.labels(root, "m")


def test_a_stamp_changes_with_the_files(root: Path) -> None:
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


MALFORMED = (
    *("", "[]", "3", "\xff", '{"stable": "3"}', '{"stable": 0}', '{"stable": true}'),
    "[" * 100_000,
    *('{"3": 3}', '{"": 1}', '{"a/b": 1}', '{"stable": null}'),
)


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_labels_are_refused(root: Path, text: str) -> None:
    (root / "m/labels.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BundleError, match=r"m/labels\.json: (not JSON|expected labels)"):
        layout.labels(root, "m")
