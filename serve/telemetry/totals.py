"""The metrics of all workers, as Prometheus reads them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import prometheus_client
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from serve.telemetry import drift, shared_counters
from serve.telemetry.metrics import COUNTED, DRIFT, TRAFFIC_WEIGHT, VERSION_READY, Definition
from serve.versions import serving_plan


class Totals:
    """The metrics of all workers, and the state of the models."""

    def __init__(self, folder: Path) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Counts(folder))
        self._registry.register(_Models(folder))

    def text(self) -> bytes:
        """In the text format of Prometheus."""
        return prometheus_client.generate_latest(self._registry)

    def samples(self) -> Iterator[Sample]:
        """All samples."""
        for family in self._registry.collect():
            yield from family.samples


class _Counts(Collector):
    """The metrics that workers count, summed over all of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def describe(self) -> list[Metric]:
        """Nothing in advance: there may be no files as yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        sums: dict[shared_counters.Key, list[float]] = {}
        for key, numbers in shared_counters.read(self._folder):
            if key[0] not in COUNTED:
                continue
            definition = COUNTED[key[0]]
            join = max if definition.is_gauge and not definition.ends else float.__add__
            before = sums.get(key, [0.0] * len(numbers))
            sums[key] = [join(one, other) for one, other in zip(before, numbers, strict=True)]
        for definition in COUNTED.values():
            named = [(key[1:], of) for key, of in sums.items() if key[0] == definition.name]
            yield _family(definition, named)


def _family(
    definition: Definition, series: Sequence[tuple[tuple[str, ...], list[float]]]
) -> Metric:
    name, text, labels = definition.name, definition.text, definition.labels
    if definition.bounds:
        histogram = HistogramMetricFamily(name, text, labels=labels)
        for values, numbers in series:
            *counts, total = numbers
            bounds = [*map(str, definition.bounds), "+Inf"]
            buckets = [(bound, sum(counts[: n + 1])) for n, bound in enumerate(bounds)]
            histogram.add_metric(values, buckets, total)
        return histogram
    kind = GaugeMetricFamily if definition.is_gauge else CounterMetricFamily
    family = kind(name, text, labels=labels)
    for values, (number,) in series:
        family.add_metric(values, number)
    return family


class _Models(Collector):
    """The metrics of versions and labels in the serving plan; they disappear with them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def describe(self) -> list[Metric]:
        """Nothing in advance: there may be no plan as yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        plan = serving_plan.read(self._folder)
        models = plan.models
        ready = [
            ((name, str(number), version.reason), [float(bool(version.fingerprint))])
            for name, planned in models.items()
            for number, version in planned.versions.items()
        ]
        yield _family(VERSION_READY, ready)
        shares = [
            ((name, label, str(planned.labels[label])), [float(weight)])
            for name, planned in models.items()
            for label, weight in planned.weights.items()
        ]
        yield _family(TRAFFIC_WEIGHT, shares)
        served = {(name, str(version)) for name, version, _ in plan.served()}
        distances = drift.distances(self._folder, served).items()
        yield _family(DRIFT, [(of, [value]) for of, value in distances])
