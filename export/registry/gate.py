"""What a version must meet before it is promoted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bundle.manifest import Manifest
from export.proof import parity

_ACCURACY = "test_accuracy"
P99_TAG = "load_p99_ms"
"""Of a version in MLflow's registry: what its load test measured."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is asked for."""

    margin: float = 0.1
    """How much lower the test accuracy may be than the best of the champions, in percentage points.

    Were it compared with the last one alone, it could fall by so much with each promotion.
    """
    min_accuracy: float | None = None
    """Lowest test accuracy, in percent; where it is None, what guessing gets."""
    p99_ms: float | None = None
    """Longest time that 99 % of requests may have taken in a load test."""
    key: Path | None = None
    """A public key; the version must be signed with its private one."""


def failures(
    candidate: Manifest,
    champion: Manifest | None,
    tags: Mapping[str, str],
    limits: Limits,
    earlier: Sequence[Manifest] = (),
) -> list[str]:
    """Conditions that a version does not meet, each with what was found and what is allowed.

    Args:
        candidate: the version.
        champion: the version that has the alias now, where there is another one.
        tags: of the candidate, in MLflow's registry.
        limits: what is asked for.
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
    """Of a model as it was trained; what smaller numbers may change is said by their accuracy."""
    if candidate.quantization or candidate.run_id is None:
        return None
    if candidate.parity is None:
        return "parity: its manifest tells of no comparison with its Keras model"
    shortfall = parity.shortfall(candidate.parity)
    return f"parity: {shortfall}" if shortfall else None


def _lowest(candidate: Manifest, percent: float | None) -> str | None:
    if _ACCURACY not in candidate.metrics:
        if percent is None:
            return None
        return f"accuracy: not known; at least {percent:g} % is asked for"
    (classes,) = candidate.outputs[0].shape[-1:] or (1,)
    lowest = percent if percent is not None else 100 / classes if classes > 1 else 0.0
    found = 100 * candidate.metrics[_ACCURACY]
    if round(found - lowest, 9) >= 0:
        return None
    guessing = ", as guessing gets" if percent is None else ""
    return f"accuracy: {found:.2f} %; at least {lowest:g} % is asked for{guessing}"


def _accuracy(
    candidate: Manifest, champion: Manifest | None, earlier: Sequence[Manifest], margin: float
) -> str | None:
    after = candidate.metrics.get(_ACCURACY)
    if champion and _ACCURACY in champion.metrics:
        before = champion.metrics[_ACCURACY]
        if after is None:
            return f"accuracy: not known; version {champion.version} has {before:.2%}"
        if candidate.dataset != champion.dataset:
            return (
                f"accuracy: {after:.2%} and version {champion.version}'s {before:.2%} are of two"
                f" data sets, {_name(candidate)} and {_name(champion)}"
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
        f" version {best.version}; allowed are {margin:g}"
    )


def _name(manifest: Manifest) -> str:
    known = manifest.dataset
    return f"{known.name} {known.sha256[:12]}" if known else "unknown"


def _latency(tags: Mapping[str, str], p99_ms: float | None) -> str | None:
    if p99_ms is None:
        return None
    if P99_TAG not in tags:
        return (
            "p99: no load test of it is known; python -m benchmarks run measures one, and tags the"
            f" version in MLflow with {P99_TAG}"
        )
    try:
        found = float(tags[P99_TAG])
    except ValueError:
        return f"p99: the tag {P99_TAG} is {tags[P99_TAG]!r}, not a number of milliseconds"
    if found <= p99_ms:
        return None
    return f"p99: {found:.2f} ms in its load test; allowed are {p99_ms:g}"
