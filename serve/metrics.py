"""Prometheus metrics, true across workers whichever of them is asked.

Each worker writes its values into small files that it maps into memory (prometheus-client's
multi-process mode), and ``Totals`` adds up the files of all. They are named for the worker's
slot, not its pid: a worker that takes a dead one's place goes on with its counts.
"""

import os
import platform
from collections.abc import Iterator
from pathlib import Path

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, multiprocess, values
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

import serve
from serve import plan
from serve.protocols.number_kernel import library

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Totals:
    """The metrics of all workers, and the state of the models."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def text(self) -> bytes:
        """As Prometheus reads them."""
        return prometheus_client.generate_latest(self._registry())

    def samples(self) -> Iterator[Sample]:
        """One by one."""
        for family in self._registry().collect():
            yield from family.samples

    def _registry(self) -> CollectorRegistry:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, str(self._folder))  # type: ignore[no-untyped-call]
        registry.register(_Models(self._folder))
        return registry


class _Models(Collector):
    """What the plan says of each version. It is not counted, so it goes when the version goes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        ready = GaugeMetricFamily(
            "onnxlet_model_version_ready",
            "Is a version served? The reason says why its files can't be.",
            labels=["model", "version", "reason"],
        )
        for name, planned in plan.read(self._folder).models.items():
            for number, version in planned.versions.items():
                labels = [name, str(number), version.reason]
                ready.add_metric(labels, float(bool(version.stamp)))
        yield ready


class Metrics:
    """What one worker counts."""

    def __init__(self, folder: Path, slot: int) -> None:
        # Both are how multi-process mode is set up; it reads them when a metric is made.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        values.ValueClass = values.MultiProcessValue(lambda: slot)  # type: ignore[no-untyped-call]
        self.requests = Counter(
            "onnxlet_requests",
            "Answered requests.",
            ["route", "model", "version", "status"],
            registry=None,
        )
        self.seconds = Histogram(
            "onnxlet_request_seconds",
            "From a request's first byte to its answer.",
            ["route", "model", "version"],
            buckets=_SECONDS,
            registry=None,
        )
        self.rows = Counter(
            "onnxlet_rows",
            "Rows of requests answered with 200.",
            ["model", "version"],
            registry=None,
        )
        self.run_rows = Histogram(
            "onnxlet_run_rows",
            "Rows in a run of the model, which may be of several requests.",
            ["model", "version"],
            buckets=_ROWS,
            registry=None,
        )
        self.step_seconds = Counter(
            "onnxlet_step_seconds",
            "Time that requests took: parse, queue, infer and render of those answered with 200,"
            " and failed for all of the others.",
            ["model", "version", "step"],
            registry=None,
        )
        self.last_run = Gauge(
            "onnxlet_last_run_timestamp_seconds",
            "When a model was last run.",
            ["model", "version"],
            multiprocess_mode="max",
            registry=None,
        )
        self.rejections = Counter(
            "onnxlet_rejections",
            "Requests turned away, by reason, and connections dropped.",
            ["reason"],
            registry=None,
        )
        self.in_flight = Gauge(
            "onnxlet_requests_in_flight",
            "Requests for inference that have come in and are not yet answered.",
            multiprocess_mode="livesum",
            registry=None,
        )
        self.in_flight.set(0)
        self.restarts = Counter(
            "onnxlet_worker_restarts", "Workers started in place of one that died.", registry=None
        )
        Gauge(
            "onnxlet_build_info",
            "Always 1; the labels tell what runs.",
            ["version", "python", "number_kernel"],
            multiprocess_mode="max",
            registry=None,
        ).labels(serve.__version__, platform.python_version(), library.load().state).set(1)
