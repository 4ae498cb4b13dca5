"""The conditions that a version must meet to be promoted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bundle.manifest import Manifest
from export.proof import parity

_ACCURACY = "test_accuracy"
P99_TAG = "load_p99_ms"
"""Tag of a version in MLflow's registry: the p99 of its load test, in ms."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits, as given on the command line."""

    margin: float = 0.1
    """How much lower the test accuracy may be than that of the best champion, in percentage points.

    If it were compared only with the last champion, it could fall by this much with each promotion.
    """
    min_accuracy: float | None = None
    """Lowest test accuracy, in percent; if None, that of guessing."""
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
) -> list[str]:
    """List the conditions that a version does not meet, each with its value and the limit.

    Args:
        candidate: the version.
        champion: the version that has the alias now, if it is another one.
        tags: of the candidate, in MLflow's registry.
        limits: of the conditions.
        earlier: versions that had the alias before.

    """
    found = (
        _parity(candidate),
        _lowest(candidate, limits.min_accuracy),
        _accuracy(candidate, champion, earlier, limits.margin),
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
    if _ACCURACY not in candidate.metrics:
        if percent is None:
            return None
        return f"accuracy: unknown; the minimum is {percent:g} %"
    (classes,) = candidate.outputs[0].shape[-1:] or (1,)
    lowest = percent if percent is not None else 100 / classes if classes > 1 else 0.0
    found = 100 * candidate.metrics[_ACCURACY]
    if round(found - lowest, 9) >= 0:
        return None
    guessing = " (guessing)" if percent is None else ""
    return f"accuracy: {found:.2f} %; the minimum is {lowest:g} %{guessing}"


def _accuracy(
    candidate: Manifest, champion: Manifest | None, earlier: Sequence[Manifest], margin: float
) -> str | None:
    after = candidate.metrics.get(_ACCURACY)
    if champion and _ACCURACY in champion.metrics:
        before = champion.metrics[_ACCURACY]
        if after is None:
            return f"accuracy: unknown; version {champion.version} has {before:.2%}"
        if candidate.dataset != champion.dataset:
            return (
                f"accuracy: {after:.2%} and version {champion.version}'s {before:.2%} are on"
                f" different data sets, {_name(candidate)} and {_name(champion)}"
            )
    comparable = [
        manifest
        for manifest in (*earlier, *filter(None, [champion]))
        if _ACCURACY in manifest.metrics and manifest.dataset == candidate.dataset
    ]
    best = max(comparable, key=lambda manifest: manifest.metrics[_ACCURACY], default=None)
    if best is None or after is None:
        return None
    before = best.metrics[_ACCURACY]
    if round(100 * (before - after), 9) <= margin:
        return None
    return (
        f"accuracy: {after:.2%} is {100 * (before - after):.2f} points below the {before:.2%} of"
        f" version {best.version}; the margin is {margin:g}"
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
