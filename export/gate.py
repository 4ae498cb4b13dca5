"""What a version must meet before it is promoted."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bundle.manifest import Manifest
from export import parity

P99_TAG = "load_p99_ms"
"""Of a version in MLflow's registry: what its load test measured."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is asked for."""

    margin: float = 0.1
    """How much lower the test accuracy may be than the champion's, in percentage points."""
    p99_ms: float | None = None
    """Longest time that 99 % of requests may have taken in a load test."""
    key: Path | None = None
    """A public key; the version must be signed with its private one."""


def failures(
    candidate: Manifest, champion: Manifest | None, tags: Mapping[str, str], limits: Limits
) -> list[str]:
    """Conditions that a version does not meet, each with what was found and what is allowed.

    Args:
        candidate: the version.
        champion: the version that has the alias now, where there is another one.
        tags: of the candidate, in MLflow's registry.
        limits: what is asked for.

    """
    found = (
        _parity(candidate),
        _accuracy(candidate, champion, limits.margin),
        _latency(tags, limits.p99_ms),
    )
    return [failure for failure in found if failure]


def _parity(candidate: Manifest) -> str | None:
    """Of a model as it was trained; what smaller numbers may change is said by their accuracy."""
    if candidate.quantization or candidate.run_id is None:
        return None
    if candidate.parity is None:
        return "parity: its manifest tells of no comparison with its Keras model"
    shortfall = parity.shortfall(candidate.parity)
    return f"parity: {shortfall}" if shortfall else None


def _accuracy(candidate: Manifest, champion: Manifest | None, margin: float) -> str | None:
    if champion is None or "test_accuracy" not in champion.metrics:
        return None
    before = champion.metrics["test_accuracy"]
    if "test_accuracy" not in candidate.metrics:
        return f"accuracy: not known; version {champion.version} has {before:.2%}"
    after = candidate.metrics["test_accuracy"]
    if candidate.dataset != champion.dataset:
        return (
            f"accuracy: {after:.2%} and version {champion.version}'s {before:.2%} are of two data"
            f" sets, {_name(candidate)} and {_name(champion)}"
        )
    if round(100 * (before - after), 9) <= margin:
        return None
    return (
        f"accuracy: {after:.2%} is {100 * (before - after):.2f} points below the {before:.2%} of"
        f" version {champion.version}; allowed are {margin:g}"
    )


def _name(manifest: Manifest) -> str:
    known = manifest.dataset
    return f"{known.name} {known.sha256[:12]}" if known else "unknown"


def _latency(tags: Mapping[str, str], p99_ms: float | None) -> str | None:
    if p99_ms is None or P99_TAG not in tags:
        return None
    try:
        found = float(tags[P99_TAG])
    except ValueError:
        return f"p99: the tag {P99_TAG} is {tags[P99_TAG]!r}, not a number of milliseconds"
    if found <= p99_ms:
        return None
    return f"p99: {found:.2f} ms in its load test; allowed are {p99_ms:g}"
