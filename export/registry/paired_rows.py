"""Compare two versions on the rows of their test set."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bundle.manifest import Manifest
from export.proof import row_results
from tracking import paired_tests


@dataclass(frozen=True)
class PairedRows:
    """How the classes that a candidate answers differ from those of the champion."""

    champion: int
    """The version."""
    lost: int
    """Rows that only the champion gets right."""
    gained: int
    """Rows that only the candidate gets right."""
    p: float
    """P-value of McNemar's exact test."""

    @property
    def is_worse(self) -> bool:
        """Whether the candidate is worse by more than chance."""
        return self.lost > self.gained and self.p < paired_tests.SIGNIFICANT

    def __str__(self) -> str:
        """Say it for people."""
        return (
            f"{self.lost} test rows are right only with version {self.champion} and {self.gained}"
            f" only with this one (McNemar's test: p = {self.p:.2g})"
        )


def compare(model: Path, candidate: Manifest, champion: Manifest) -> PairedRows | None:
    """Compare two versions that were measured on the same test set.

    Returns:
        None for regressions, and for versions of other data or without results of rows.

    Raises:
        ExportError: the results of a version are damaged.

    """
    if candidate.dataset != champion.dataset or "regression" in (candidate.task, champion.task):
        return None
    ours = row_results.read(model / str(candidate.version), candidate)
    theirs = row_results.read(model / str(champion.version), champion)
    if ours is None or theirs is None or not np.array_equal(ours[0], theirs[0]):
        return None
    right, before = ours[1] == ours[0], theirs[1] == theirs[0]
    return PairedRows(
        champion.version,
        lost=int((before & ~right).sum()),
        gained=int((right & ~before).sum()),
        p=paired_tests.mcnemar(before, right),
    )
