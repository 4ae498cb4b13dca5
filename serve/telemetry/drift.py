"""How far recent requests are from the test set of their model.

Some rows are counted into the bins of the manifest's reference (``bundle.reference``), so seldom
that it takes at most one percent of the time. After a while old rows count less and less.
"""

import time
from collections.abc import Set
from pathlib import Path

from bundle import reference
from serve.models.session import Model
from serve.protocols.interface import Tensors
from serve.telemetry import shared_counters
from serve.telemetry.shared_counters import SharedCounters

MIN_ROWS = 500  # with fewer, the distance is mostly chance
WINDOW_ROWS = 5000  # of a worker; with more, all counts are halved
PAUSE = 99  # times as long as it took to count, before it counts again

_ROWS = 64  # of a batch
_BINS = "drift bins"  # the counts of a measure, and then the shares of the reference


class Drift:
    """Counts the rows of one worker."""

    def __init__(self, counters: SharedCounters) -> None:
        self._counters = counters
        self._next = 0.0

    def observe(self, model: Model, inputs: Tensors, outputs: Tensors) -> None:
        """Count some rows of a batch, if it is time to do so."""
        began = time.monotonic()
        manifest = model.spec.manifest
        if began < self._next or manifest is None or not manifest.reference:
            return
        spec = model.spec.inputs[0]
        rows = inputs[spec.name][:_ROWS]
        scores = outputs[model.spec.output_names[0]][:_ROWS]
        values = reference.of_inputs(rows, manifest.features, spec.range)
        values |= reference.of_outputs(scores)
        for name, histogram in manifest.reference.items():
            if name in values:
                found = reference.counts(values[name], histogram.edges).tolist()
                self._add((*model.spec.id, name), found, histogram.shares)
        ended = time.monotonic()
        self._next = ended + PAUSE * (ended - began)

    def _add(self, of: tuple[str, str, str], found: list[float], shares: tuple[float, ...]) -> None:
        bins = len(found)
        # A version whose files were replaced may have other bins.
        place = self._counters.place((_BINS, *of, str(bins)), 2 * bins)
        numbers = self._counters.numbers
        for index, (count, share) in enumerate(zip(found, shares, strict=True), place):
            numbers[index] += count
            numbers[index + bins] = share
        if sum(numbers[place : place + bins]) > WINDOW_ROWS:
            for index in range(place, place + bins):
                numbers[index] /= 2


def distances(folder: Path, served: Set[tuple[str, str]]) -> dict[tuple[str, str, str], float]:
    """The distance of each measure of the served versions, if there are enough rows.

    Args:
        folder: where all workers count.
        served: name and version of each.

    """
    sums: dict[shared_counters.Key, list[float]] = {}
    for key, numbers in shared_counters.read(folder):
        if key[0] == _BINS and key[1:3] in served:
            before = sums.get(key, [0.0] * len(numbers))
            sums[key] = [one + other for one, other in zip(before, numbers, strict=True)]
    found = {}
    for (_, model, version, measure, _), numbers in sums.items():
        bins = len(numbers) // 2
        if sum(numbers[:bins]) >= MIN_ROWS:
            found[model, version, measure] = reference.distance(numbers[bins:], numbers[:bins])
    return found
