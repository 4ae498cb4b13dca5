"""Where things lie in a model repository, as far as the labels go."""

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


MALFORMED = (
    *("", "[]", "3", "\xff", '{"stable": "3"}', '{"stable": 0}', '{"stable": true}'),
    *('{"3": 3}', '{"": 1}', '{"a/b": 1}', '{"stable": null}'),
)


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_labels_are_refused(root: Path, text: str) -> None:
    (root / "m/labels.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BundleError, match=r"m/labels\.json: (not JSON|expected labels)"):
        layout.labels(root, "m")
