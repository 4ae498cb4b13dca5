"""Two versions on the rows of their test set."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundle.manifest import Dataset, Manifest
from export.errors import ExportError
from export.proof import row_results
from export.registry import paired_rows
from tests.bundle.example import MANIFEST

TRUTH = np.arange(100) % 2


def published(model: Path, version: int, wrong: slice, **changes: Any) -> Manifest:
    """A version that answers some rows wrongly, with the file that its export stores."""
    probabilities = np.stack([1 - TRUTH, TRUTH], axis=1).astype(np.float32)
    probabilities[wrong] = 1 - probabilities[wrong]
    data = row_results.to_npz("classification", TRUTH, probabilities)
    (model / str(version)).mkdir()
    (model / str(version) / row_results.FILE).write_bytes(data)
    files = {**MANIFEST.files, row_results.FILE: hashlib.sha256(data).hexdigest()}
    return dataclasses.replace(MANIFEST, version=version, files=files, **changes)


def test_counts_the_rows_that_only_one_of_them_gets_right(tmp_path: Path) -> None:
    champion = published(tmp_path, 1, slice(0, 10))
    candidate = published(tmp_path, 2, slice(7, 20))
    found = paired_rows.compare(tmp_path, candidate, champion)
    assert found
    assert (found.champion, found.lost, found.gained) == (1, 10, 7)
    assert found.p == pytest.approx(0.629, abs=1e-3)
    assert not found.is_worse
    bad = published(tmp_path, 3, slice(4, 40))
    worse = paired_rows.compare(tmp_path, bad, champion)
    assert worse
    assert worse.is_worse
    back = paired_rows.compare(tmp_path, champion, bad)
    assert back
    assert back.p == worse.p
    assert not back.is_worse


def test_versions_without_results_are_not_compared(tmp_path: Path) -> None:
    champion = published(tmp_path, 1, slice(0, 10))
    older = dataclasses.replace(MANIFEST, version=2)
    elsewhere = published(tmp_path, 3, slice(0), dataset=Dataset(name="new", sha256="2" * 64))
    values = published(tmp_path, 4, slice(0), task="regression")
    for candidate in (older, elsewhere, values):
        assert paired_rows.compare(tmp_path, candidate, champion) is None
        assert paired_rows.compare(tmp_path, champion, candidate) is None


def test_damaged_results_are_refused(tmp_path: Path) -> None:
    versions = [published(tmp_path, number, slice(0)) for number in (1, 2)]
    (tmp_path / "1" / row_results.FILE).write_bytes(b"damaged")
    with pytest.raises(ExportError, match=r"1/test_results.npz: differs from its checksum"):
        paired_rows.compare(tmp_path, *versions)
    (tmp_path / "1" / row_results.FILE).unlink()
    with pytest.raises(ExportError, match=r"1/test_results.npz: No such file or directory"):
        paired_rows.compare(tmp_path, *versions)
