"""What is compared of runs: names under which MLflow has it, and how people read it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import mean, stdev

IMPORTANCE_PREFIX = "importance/"  # of a sweep's metrics: how much each option mattered in it
LATENCIES = ("load_p99_ms", "us_per_row_1")  # best first, for accuracy against latency


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


@dataclass(frozen=True)
class Measure:
    """One column."""

    key: str
    title: str
    show: Callable[[float], str]

    def text(self, values: Iterable[float]) -> str:
        """Mean and standard deviation of the values, where there are any."""
        known = list(values)
        if not known:
            return "–"
        spread = f" ± {self.show(stdev(known))}" if len(set(known)) > 1 else ""
        return self.show(mean(known)) + spread


MEASURES = (
    Measure("val_accuracy", "validation %", _percent),
    Measure("test_accuracy", "test %", _percent),
    Measure("val_loss", "validation loss", "{:.4f}".format),
    Measure("test_loss", "test loss", "{:.4f}".format),
    Measure("parameters", "parameters", _whole),
    Measure("train_seconds", "training s", "{:.1f}".format),
    Measure("parity_max_abs_difference", "ONNX differs by", "{:.1e}".format),
    Measure("onnx_bytes", "ONNX kB", lambda value: f"{value / 1000:,.0f}"),
    Measure("us_per_row_1", "µs a row, 1", "{:.1f}".format),
    Measure("us_per_row_32", "µs a row, 32", "{:.2f}".format),
    Measure("us_per_row_256", "µs a row, 256", "{:.2f}".format),
    Measure("int8_accuracy_loss", "int8 loses %", _percent),
    Measure("load_p99_ms", "p99 ms", "{:.2f}".format),
    Measure("load_rows_per_second", "rows/s", _whole),
)
_LOWER_IS_BETTER = ("loss", "seconds", "bytes", "_ms", "difference", "parameters")


def lower_is_better(metric: str) -> bool:
    """Is the smallest value of a metric the best one?"""
    return metric.endswith(_LOWER_IS_BETTER) or metric.startswith("us_per_row")
