"""Names of versions, and the traffic between them."""

import os
from pathlib import Path

import pytest

from bundle import labels, layout, writer
from bundle.errors import BundleError
from bundle.labels import Labels


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "m/1").mkdir(parents=True)
    return tmp_path


def test_a_model_may_have_no_labels(root: Path) -> None:
    assert labels.read(root, "m") == Labels()


def test_labels_name_versions(root: Path) -> None:
    (root / "m/labels.json").write_text('{"stable": 3, "canary-2": 12}')
    assert labels.read(root, "m") == Labels({"stable": 3, "canary-2": 12})
    assert layout.models(root) == ["m"]
    assert layout.versions(root, "m") == [1]


def test_labels_that_would_never_be_read_are_refused(root: Path) -> None:
    os.mkfifo(root / "m/labels.json")
    with pytest.raises(BundleError, match=r"labels\.json: not a file"):
        labels.read(root, "m")


MALFORMED = (
    *("", "[]", "3", "\xff", '{"stable": "3"}', '{"stable": 0}', '{"stable": true}'),
    "[" * 100_000,
    *('{"3": 3}', '{"": 1}', '{"a/b": 1}', '{"stable": null}', '{"stable": {}}'),
    *('{"stable": {"version": "3"}}', '{"stable": {"version": true}}'),
)


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_labels_are_refused(root: Path, text: str) -> None:
    (root / "m/labels.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BundleError, match=r"m/labels\.json: (not JSON|expected labels)"):
        labels.read(root, "m")


SHARED = """{
  "challenger": {
    "version": 4,
    "weight": 5
  },
  "champion": {
    "version": 3,
    "weight": 95
  },
  "next": {
    "shadow": true,
    "version": 5
  },
  "stable": 2
}
"""
TRAFFIC = Labels(
    {"challenger": 4, "champion": 3, "next": 5, "stable": 2},
    {"challenger": 5, "champion": 95},
    "next",
)


def test_labels_may_share_the_traffic(root: Path) -> None:
    (root / "m/labels.json").write_text(SHARED)
    assert labels.read(root, "m") == TRAFFIC
    assert TRAFFIC.to_json().decode() == SHARED


def test_a_label_that_moves_keeps_its_share(root: Path) -> None:
    (root / "m/labels.json").write_text(SHARED)
    writer.label(root, "m", "champion", 1)
    moved = labels.read(root, "m")
    assert (moved.versions["champion"], moved.weights) == (1, TRAFFIC.weights)
    assert moved.shadow == "next"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('{"version": 3, "weight": -1}', "stable: expected a whole number from 0 to 1000000"),
        ('{"version": 3, "weight": 1.5}', "stable: expected a whole number"),
        ('{"version": 3, "weight": true}', "stable: expected a whole number"),
        ('{"version": 3, "weight": 1000001}', "stable: expected a whole number"),
        ('{"version": 3, "shadow": 1}', "stable: expected true or false as shadow"),
        ('{"version": 3, "share": 1}', "expected version, weight and shadow, got 'share'"),
        (
            '{"version": 3, "shadow": true}, "b": {"version": 1, "shadow": true}',
            "expected one shadow, got stable and b",
        ),
    ],
)
def test_malformed_traffic_is_refused(root: Path, entry: str, message: str) -> None:
    (root / "m/labels.json").write_text(f'{{"stable": {entry}}}')
    with pytest.raises(BundleError, match=message):
        labels.read(root, "m")
