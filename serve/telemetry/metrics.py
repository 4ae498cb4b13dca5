"""Prometheus metrics, as one worker counts them.

Each worker counts in its own files (``shared_counters``), and ``totals`` adds up all of them. The
files are named after the worker's slot, not its pid, so a replacement continues with the counts.
"""

import platform
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

import prometheus_client

import serve
from serve.processes import shared_folder
from serve.protocols.number_kernel import library
from serve.telemetry.shared_counters import SharedCounters

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)


@dataclass(frozen=True)
class Definition:
    """One metric: its name, description and labels."""

    name: str
    text: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    """Of a histogram."""
    is_gauge: bool = False
    """Is it a gauge? Its value is the largest of all workers, unless ``ends``."""
    ends: bool = False
    """Is it a sum over the living workers?"""

    @property
    def size(self) -> int:
        """Numbers of one series; a histogram has buckets, one for larger values, and the sum."""
        return len(self.bounds) + 2 if self.bounds else 1


_MODEL = ("model", "version")
REQUESTS = Definition(
    "onnxlet_requests", "Answered requests.", ("route", "model", "version", "status")
)
SECONDS = Definition(
    "onnxlet_request_duration_seconds",
    "Time from the first byte of a request to its response.",
    ("route", "model", "version"),
    bounds=_SECONDS,
)
ROWS = Definition("onnxlet_rows", "Rows of requests answered with 200.", _MODEL)
BATCH_ROWS = Definition(
    "onnxlet_batch_rows",
    "Rows of a batch, which may have several requests.",
    _MODEL,
    bounds=_ROWS,
)
STEP_SECONDS = Definition(
    "onnxlet_step_seconds",
    "Time of requests: parse, queue, infer and render of those answered with 200,"
    " and failed for all others.",
    (*_MODEL, "step"),
)
LAST_INFERENCE = Definition(
    "onnxlet_last_inference_timestamp_seconds",
    "Time of the last run of a model.",
    _MODEL,
    is_gauge=True,
)
SHADOW_ROWS = Definition(
    "onnxlet_shadow_rows",
    "Rows that a shadow version computed after the version that answered, by the result: same,"
    " different, dropped or failed.",
    (*_MODEL, "shadow", "result"),
)
REJECTIONS = Definition(
    "onnxlet_rejections", "Refused requests, by reason, and dropped connections.", ("reason",)
)
IN_FLIGHT = Definition(
    "onnxlet_requests_in_flight",
    "Inference requests that are received and not answered yet.",
    is_gauge=True,
    ends=True,
)
RESTARTS = Definition("onnxlet_worker_restarts", "Workers that were started to replace a dead one.")
BUILD = Definition(
    "onnxlet_build_info",
    "Always 1; the labels describe the server.",
    ("version", "python", "number_kernel"),
    is_gauge=True,
)
_COUNTS = (REQUESTS, SECONDS, ROWS, BATCH_ROWS, STEP_SECONDS, SHADOW_ROWS, REJECTIONS, RESTARTS)
_GAUGES = (LAST_INFERENCE, IN_FLIGHT, BUILD)
COUNTED = {one.name: one for one in (*_COUNTS, *_GAUGES)}
VERSION_READY = Definition(
    "onnxlet_model_version_ready",
    "1 for a version that is served, else 0; the reason says why not.",
    ("model", "version", "reason"),
    is_gauge=True,
)
TRAFFIC_WEIGHT = Definition(
    "onnxlet_traffic_weight",
    "The share of a label in the requests that name no version, where labels share them.",
    ("model", "label", "version"),
    is_gauge=True,
)
DRIFT = Definition(
    "onnxlet_drift",
    "Distance of recent requests from the test set (population stability index), by measure.",
    (*_MODEL, "measure"),
    is_gauge=True,
)
DEFINITIONS = (*COUNTED.values(), VERSION_READY, TRAFFIC_WEIGHT, DRIFT)
"""All metrics."""


class Series:
    """A metric with values for its labels, in one worker."""

    __slots__ = ("_bounds", "_numbers", "_place")

    def __init__(
        self, counted: SharedCounters, definition: Definition, labels: tuple[str, ...]
    ) -> None:
        self._place = counted.place((definition.name, *labels), definition.size)
        self._numbers = counted.numbers
        self._bounds = definition.bounds

    def add(self, amount: float = 1.0) -> None:
        """Add to the value."""
        self._numbers[self._place] += amount

    def set(self, value: float) -> None:
        """Set the value."""
        self._numbers[self._place] = value

    def observe(self, value: float) -> None:
        """Add a value to a histogram."""
        bounds, numbers, place = self._bounds, self._numbers, self._place
        numbers[place + bisect_left(bounds, value)] += 1.0
        numbers[place + len(bounds) + 1] += value


class Metrics:
    """The metrics of one worker."""

    def __init__(self, folder: Path, slot: int) -> None:
        self._kept = SharedCounters(folder, str(slot))
        self._living = SharedCounters(folder, shared_folder.live_name(slot))
        kernel = library.load().state
        self.series(BUILD, serve.__version__, platform.python_version(), kernel).set(1)
        self.series(RESTARTS)
        self.series(IN_FLIGHT).set(0)

    @property
    def counters(self) -> SharedCounters:
        """Numbers that a replacement of this worker continues with."""
        return self._kept

    def series(self, definition: Definition, *labels: str) -> Series:
        """The series of a metric with these labels; keep it, because the lookup takes time."""
        return Series(self._living if definition.ends else self._kept, definition, labels)
