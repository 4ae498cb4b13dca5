"""The conditions that a version must meet to be promoted."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bundle.manifest import Manifest
from export.proof import parity, score
from export.registry.paired_rows import PairedRows

P99_TAG = "load_p99_ms"
"""Tag of a version in MLflow's registry: the p99 of its load test, in ms."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits, as given on the command line."""

    margin: float = 0.1
    """How much worse the test score may be than that of the best champion: percentage points of
    accuracy, or percent of the RMSE.

    If it were compared only with the last champion, it could fall by this much with each promotion.
    """
    min_accuracy: float | None = None
    """Lowest test accuracy, in percent; if None, that of guessing."""
    max_rmse: float | None = None
    """Highest test RMSE of a regression; if None, that of its targets' mean."""
    p99_ms: float | None = None
    """Highest p99 latency in a load test."""
    agreement: float | None = None
    """Lowest agreement with the champion as its shadow, in percent."""
    metrics_url: str | None = None
    """Where a server that has compared them tells its metrics."""
    key: Path | None = None
    """A public key; the version must be signed with the matching private key."""


def failures(
    candidate: Manifest,
    champion: Manifest | None,
    tags: Mapping[str, str],
    limits: Limits,
    earlier: Sequence[Manifest] = (),
    paired: PairedRows | None = None,
) -> list[str]:
    """List the conditions that a version does not meet, each with its value and the limit.

    Args:
        candidate: the version.
        champion: the version that has the alias now, if it is another one.
        tags: of the candidate, in MLflow's registry.
        limits: of the conditions.
        earlier: versions that had the alias before.
        paired: the rows on which the version and the champion differ, if they are known.

    """
    found = (
        _parity(candidate),
        _lowest(candidate, limits.min_accuracy),
        _highest_error(candidate, limits.max_rmse),
        _loss(_margin(candidate, champion, earlier, limits.margin), paired),
        _latency(tags, limits.p99_ms),
    )
    return [failure for failure in found if failure]


def _parity(candidate: Manifest) -> str | None:
    """Check the parity of an unquantized model; quantized ones are checked by their accuracy."""
    if candidate.quantization or candidate.run_id is None:
        return None
    if candidate.parity is None:
        return "parity: its manifest has no comparison with its Keras model"
    mismatch = parity.mismatch(candidate.parity)
    return f"parity: {mismatch}" if mismatch else None


def _lowest(candidate: Manifest, percent: float | None) -> str | None:
    metric = score.ACCURACY.metric
    if metric not in candidate.metrics:
        if percent is None:
            return None
        return f"accuracy: unknown; the minimum is {percent:g} %"
    (classes,) = candidate.outputs[0].shape[-1:] or (1,)
    lowest = percent if percent is not None else 100 / classes if classes > 1 else 0.0
    found = 100 * candidate.metrics[metric]
    if round(found - lowest, 9) >= 0:
        return None
    guessing = " (guessing)" if percent is None else ""
    return f"accuracy: {found:.2f} %; the minimum is {lowest:g} %{guessing}"


def _highest_error(candidate: Manifest, highest: float | None) -> str | None:
    found = candidate.metrics.get(score.RMSE.metric)
    if found is None:
        return None if highest is None else f"RMSE: unknown; the maximum is {highest:g}"
    if highest is not None:
        return f"RMSE: {found:.4g}; the maximum is {highest:g}" if found > highest else None
    r2 = candidate.metrics.get("test_r2", 0.0)
    if r2 >= 0:
        return None
    return f"RMSE: {found:.4g}; always predicting the mean gives {found / math.sqrt(1 - r2):.4g}"


def _loss(beyond_margin: str | None, paired: PairedRows | None) -> str | None:
    """Check that the version is not significantly worse, not even within the margin."""
    if paired is None:
        return beyond_margin
    if beyond_margin:
        return f"{beyond_margin}; {paired}"
    return f"accuracy: within the margin, but {paired}" if paired.is_worse else None


def _margin(
    candidate: Manifest, champion: Manifest | None, earlier: Sequence[Manifest], margin: float
) -> str | None:
    scored = score.of_task(candidate.task)
    after = candidate.metrics.get(scored.metric)
    if champion and scored.metric in champion.metrics:
        before = scored.show(champion.metrics[scored.metric])
        if after is None:
            return f"{scored.title}: unknown; version {champion.version} has {before}"
        if candidate.dataset != champion.dataset:
            return (
                f"{scored.title}: {scored.show(after)} and version {champion.version}'s {before}"
                f" are on different data sets, {_name(candidate)} and {_name(champion)}"
            )
    comparable = [
        manifest
        for manifest in (*earlier, *filter(None, [champion]))
        if scored.metric in manifest.metrics and manifest.dataset == candidate.dataset
    ]
    if after is None or not comparable:
        return None
    losses = [scored.loss(manifest.metrics[scored.metric], after) for manifest in comparable]
    largest = max(losses)
    if round(100 * largest, 9) <= margin:
        return None
    best = comparable[losses.index(largest)]
    return (
        f"{scored.title}: {scored.show(after)} is {scored.show_loss(largest)} worse than the"
        f" {scored.show(best.metrics[scored.metric])} of version {best.version};"
        f" the margin is {margin:g}"
    )


def _name(manifest: Manifest) -> str:
    known = manifest.dataset
    return f"{known.name} {known.sha256[:12]}" if known else "unknown"


def _latency(tags: Mapping[str, str], p99_ms: float | None) -> str | None:
    if p99_ms is None:
        return None
    if P99_TAG not in tags:
        return (
            "p99: unknown; python -m benchmarks run measures it and sets the tag"
            f" {P99_TAG} of the version in MLflow"
        )
    try:
        found = float(tags[P99_TAG])
    except ValueError:
        return f"p99: the tag {P99_TAG} is {tags[P99_TAG]!r}, not a number of milliseconds"
    if found <= p99_ms:
        return None
    return f"p99: {found:.2f} ms in its load test; the limit is {p99_ms:g}"
