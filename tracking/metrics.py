"""Metrics of runs: their names in MLflow, how they are shown, and which direction is better."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import mean, stdev

IMPORTANCE_PREFIX = "importance/"  # of a sweep's metrics: how much each option mattered in it
LATENCIES = ("load_p99_ms", "us_per_row_1")  # the first that was measured is plotted


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


@dataclass(frozen=True)
class Metric:
    """A metric, and its column in a table."""

    key: str
    title: str
    show: Callable[[float], str]

    def format(self, values: Iterable[float]) -> str:
        """Format the mean and standard deviation of the values; a dash if there are none."""
        known = list(values)
        if not known:
            return "–"
        spread = f" ± {self.show(stdev(known))}" if len(set(known)) > 1 else ""
        return self.show(mean(known)) + spread


METRICS = (
    Metric("val_accuracy", "validation %", _percent),
    Metric("test_accuracy", "test %", _percent),
    Metric("val_loss", "validation loss", "{:.4f}".format),
    Metric("test_loss", "test loss", "{:.4f}".format),
    Metric("parameters", "parameters", _whole),
    Metric("train_seconds", "training s", "{:.1f}".format),
    Metric("parity_max_abs_difference", "ONNX differs by", "{:.1e}".format),
    Metric("onnx_bytes", "ONNX kB", lambda value: f"{value / 1000:,.0f}"),
    Metric("us_per_row_1", "µs per row, 1", "{:.1f}".format),
    Metric("us_per_row_32", "µs per row, 32", "{:.2f}".format),
    Metric("us_per_row_256", "µs per row, 256", "{:.2f}".format),
    Metric("int8_static_accuracy_loss", "int8 static loses %", _percent),
    Metric("load_p99_ms", "p99 ms", "{:.2f}".format),
    Metric("load_rows_per_second", "rows/s", _whole),
)
_LOWER_IS_BETTER = ("loss", "seconds", "bytes", "_ms", "difference", "parameters")


def lower_is_better(metric: str) -> bool:
    """Whether the smallest value of a metric is the best one."""
    return metric.endswith(_LOWER_IS_BETTER) or "us_per_row" in metric
