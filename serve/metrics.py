"""Prometheus metrics, true across workers whichever of them is asked.

Each worker writes its values into small files that it maps into memory (prometheus-client's
multi-process mode), and ``scrape`` adds up the files of all. They are named for the worker's
slot, not its pid: a worker that takes a dead one's place goes on with its counts.
"""

import os
import platform
from pathlib import Path

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, multiprocess, values

import serve

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


def scrape(folder: Path) -> bytes:
    """The metrics of all workers, as Prometheus reads them."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    return prometheus_client.generate_latest(registry)


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
            ["version", "python"],
            multiprocess_mode="max",
            registry=None,
        ).labels(serve.__version__, platform.python_version()).set(1)
