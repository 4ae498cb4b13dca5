"""What is measured, and what it should be: one table of scenario, metric and target."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A bound that a metric should keep."""

    bound: float
    at_least: bool = False
    """Else at most."""

    def met(self, value: float) -> bool:
        """Whether a value keeps it."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:g}"


@dataclass(frozen=True)
class Result:
    """One metric of a scenario."""

    scenario: str
    metric: str
    values: Sequence[float]
    """One for each round."""

    @property
    def value(self) -> float:
        """Median of the rounds."""
        return statistics.median(self.values)

    @property
    def target(self) -> Target | None:
        """None if there is none."""
        return TARGETS.get(self.scenario, {}).get(self.metric)

    @property
    def key(self) -> str:
        """In the reference."""
        return f"{self.scenario}: {self.metric}"


CPU, RATE, P99 = "CPU per row", "rows/s", "p99"
MEMORY = "memory (PSS) after it, MiB"
HEALTH = "slowest health check, ms"
UNHEALTHY = "health checks without 200"
_EVEN_PROTOCOL = {CPU: Target(1.1)}

TARGETS: Mapping[str, Mapping[str, Target]] = {
    # Ratios.
    "onnxlet / FastAPI, 1 x 16": {
        CPU: Target(0.32),
        RATE: Target(3.0, at_least=True),
        P99: Target(0.8),
    },
    "onnxlet / FastAPI, 32 x 4": {
        CPU: Target(0.16),
        RATE: Target(4.0, at_least=True),
        P99: Target(0.4),
    },
    "onnxlet / FastAPI, 256 x 4": {
        CPU: Target(0.13),
        RATE: Target(5.0, at_least=True),
        P99: Target(0.25),
    },
    **{
        f"{protocol} / predict, {shape}": _EVEN_PROTOCOL
        for protocol in ("oip", "tfserving", "mlflow")
        for shape in ("1 x 16", "256 x 4")
    },
    "heavy model, batching / none, 1 x 16": {RATE: Target(2.0, at_least=True)},
    "heavy model, batching / none, one thread, 1 x 16": {RATE: Target(2.0, at_least=True)},
    "1 x 64 / 1 x 16": {RATE: Target(0.9, at_least=True), "CPU of wrk, of one": Target(0.9)},
    # Absolute figures.
    "256 x 4, two workers": {"CPU share of the busier worker": Target(0.6), MEMORY: Target(110)},
    "1 x 64, two workers": {HEALTH: Target(100), UNHEALTHY: Target(0)},
    "256 x 16, two workers": {HEALTH: Target(100), UNHEALTHY: Target(0)},
    "256 x 300, two workers": {HEALTH: Target(100), UNHEALTHY: Target(0)},
    "start": {"seconds until ready": Target(1.0)},
    "soak": {"memory (PSS), median, MiB": Target(110), "largest deviation from it": Target(0.05)},
    "overload": {
        "answered with 200 / peak": Target(0.8, at_least=True),
        "answered after the deadline (504)": Target(0),
        "failed connections": Target(0),
        HEALTH: Target(100),
        UNHEALTHY: Target(0),
        "more memory (PSS) after it, MiB": Target(20),
        "seconds until answers are as fast as before": Target(5),
    },
}
"""By scenario and metric. A scenario "a / b" is a ratio of two measurements in the same round."""
