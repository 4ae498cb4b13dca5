"""Prometheus metrics, true across workers whichever of them is asked.

Each worker counts in files of its own (``shared_counters``), and ``Totals`` adds up those of all.
They are named for the worker's slot, not its pid: a worker that takes a dead one's place goes on
with its counts.
"""

import platform
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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

import serve
from serve.processes import shared_folder
from serve.protocols.number_kernel import library
from serve.telemetry import shared_counters
from serve.telemetry.shared_counters import SharedCounters
from serve.versions import serving_plan

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)


@dataclass(frozen=True)
class Definition:
    """One metric: what it is called, and what is counted."""

    name: str
    text: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    """Of a histogram."""
    is_gauge: bool = False
    """Then the largest of the workers' numbers counts, unless ``ends``."""
    ends: bool = False
    """Is it a sum over the workers that live?"""

    @property
    def size(self) -> int:
        """Numbers of one series: of a histogram its buckets, what is beyond, and the sum."""
        return len(self.bounds) + 2 if self.bounds else 1


_MODEL = ("model", "version")
REQUESTS = Definition(
    "onnxlet_requests", "Answered requests.", ("route", "model", "version", "status")
)
SECONDS = Definition(
    "onnxlet_request_duration_seconds",
    "From a request's first byte to its answer.",
    ("route", "model", "version"),
    bounds=_SECONDS,
)
ROWS = Definition("onnxlet_rows", "Rows of requests answered with 200.", _MODEL)
BATCH_ROWS = Definition(
    "onnxlet_batch_rows",
    "Rows in a run of the model, which may be of several requests.",
    _MODEL,
    bounds=_ROWS,
)
STEP_SECONDS = Definition(
    "onnxlet_step_seconds",
    "Time that requests took: parse, queue, infer and render of those answered with 200,"
    " and failed for all of the others.",
    (*_MODEL, "step"),
)
LAST_INFERENCE = Definition(
    "onnxlet_last_inference_timestamp_seconds", "When a model was last run.", _MODEL, is_gauge=True
)
REJECTIONS = Definition(
    "onnxlet_rejections", "Requests turned away, by reason, and connections dropped.", ("reason",)
)
IN_FLIGHT = Definition(
    "onnxlet_requests_in_flight",
    "Requests for inference that have come in and are not yet answered.",
    is_gauge=True,
    ends=True,
)
RESTARTS = Definition("onnxlet_worker_restarts", "Workers started in place of one that died.")
BUILD = Definition(
    "onnxlet_build_info",
    "Always 1; the labels tell what runs.",
    ("version", "python", "number_kernel"),
    is_gauge=True,
)
_COUNTS = (REQUESTS, SECONDS, ROWS, BATCH_ROWS, STEP_SECONDS, REJECTIONS, RESTARTS)
_GAUGES = (LAST_INFERENCE, IN_FLIGHT, BUILD)
_COUNTED = {one.name: one for one in (*_COUNTS, *_GAUGES)}
_VERSION_READY = Definition(
    "onnxlet_model_version_ready",
    "1 for a version that is served, else 0; the reason says why not.",
    ("model", "version", "reason"),
    is_gauge=True,
)
DEFINITIONS = (*_COUNTED.values(), _VERSION_READY)
"""All metrics."""


class Series:
    """A metric with values for its labels, as one worker counts it."""

    __slots__ = ("_bounds", "_numbers", "_place")

    def __init__(
        self, counted: SharedCounters, definition: Definition, labels: tuple[str, ...]
    ) -> None:
        self._place = counted.place((definition.name, *labels), definition.size)
        self._numbers = counted.numbers
        self._bounds = definition.bounds

    def add(self, amount: float = 1.0) -> None:
        """Count so much more."""
        self._numbers[self._place] += amount

    def set(self, value: float) -> None:
        """Say how much it is now."""
        self._numbers[self._place] = value

    def observe(self, value: float) -> None:
        """Count a value of a histogram."""
        bounds, numbers, place = self._bounds, self._numbers, self._place
        numbers[place + bisect_left(bounds, value)] += 1.0
        numbers[place + len(bounds) + 1] += value


class Metrics:
    """What one worker counts."""

    def __init__(self, folder: Path, slot: int) -> None:
        self._kept = SharedCounters(folder, str(slot))
        self._living = SharedCounters(folder, shared_folder.live_name(slot))
        kernel = library.load().state
        self.series(BUILD, serve.__version__, platform.python_version(), kernel).set(1)
        self.series(RESTARTS)
        self.series(IN_FLIGHT).set(0)

    def series(self, definition: Definition, *labels: str) -> Series:
        """What counts a metric for these labels; keep it, for this takes time."""
        return Series(self._living if definition.ends else self._kept, definition, labels)


class Totals:
    """The metrics of all workers, and the state of the models."""

    def __init__(self, folder: Path) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Counts(folder))
        self._registry.register(_Models(folder))

    def text(self) -> bytes:
        """As Prometheus reads them."""
        return prometheus_client.generate_latest(self._registry)

    def samples(self) -> Iterator[Sample]:
        """One by one."""
        for family in self._registry.collect():
            yield from family.samples


class _Counts(Collector):
    """What the workers have counted, added up."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def describe(self) -> list[Metric]:
        """Nothing in advance: there may be no files as yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        sums: dict[shared_counters.Key, list[float]] = {}
        for key, numbers in shared_counters.read(self._folder):
            definition = _COUNTED[key[0]]
            join = max if definition.is_gauge and not definition.ends else float.__add__
            before = sums.get(key, [0.0] * len(numbers))
            sums[key] = [join(one, other) for one, other in zip(before, numbers, strict=True)]
        for definition in _COUNTED.values():
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
    """What the plan says of each version. It is not counted, so it goes when the version goes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def describe(self) -> list[Metric]:
        """Nothing in advance: there may be no plan as yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        ready = [
            ((name, str(number), version.reason), [float(bool(version.fingerprint))])
            for name, planned in serving_plan.read(self._folder).models.items()
            for number, version in planned.versions.items()
        ]
        yield _family(_VERSION_READY, ready)
