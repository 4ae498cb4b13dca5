"""Metrics of runs: their names in MLflow, how they are shown, and which direction is better."""

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import mean, stdev

PRIMARY = {"classification": "accuracy", "regression": "rmse"}
"""The metric of each task by which runs are chosen; ``val_`` or ``test_`` goes before it."""
PRIMARY_TITLES = {"classification": "Accuracy", "regression": "RMSE"}
IMPORTANCE_PREFIX = "importance/"  # of a sweep's metrics: how much each option mattered in it
LATENCIES = ("load_p99_ms", "us_per_row_1")  # the first that was measured is plotted


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _significant(value: float) -> str:
    return f"{value:.4g}"


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
    Metric("val_rmse", "validation RMSE", _significant),
    Metric("test_rmse", "test RMSE", _significant),
    Metric("val_loss", "validation loss", _significant),
    Metric("val_f1", "validation F1 %", _percent),
    Metric("val_auc", "validation AUC %", _percent),
    Metric("val_ece", "validation ECE %", _percent),
    Metric("val_mae", "validation MAE", _significant),
    Metric("test_mae", "test MAE", _significant),
    Metric("val_r2", "validation R²", "{:.3f}".format),
    Metric("test_r2", "test R²", "{:.3f}".format),
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
_LOWER_IS_BETTER = (
    "loss",
    "rmse",
    "rmse_increase",
    "mae",
    "ece",
    "seconds",
    "bytes",
    "_ms",
    "difference",
    "parameters",
)


def lower_is_better(metric: str) -> bool:
    """Whether the smallest value of a metric is the best one."""
    return metric.endswith(_LOWER_IS_BETTER) or "us_per_row" in metric


def primary(task: str, part: str) -> str:
    """The metric by which runs of a task are compared, on a part: ``val`` or ``test``."""
    return f"{part}_{PRIMARY[task]}"


def for_choosing(metric: str) -> str:
    """Check the name of a metric by which runs are chosen; raises an ``ArgumentTypeError``."""
    if "test_" in metric:
        raise argparse.ArgumentTypeError(
            f"{metric} is of the test set, which would be no test if it decided anything; expected"
            " a validation metric such as val_loss"
        )
    return metric


def is_better(metric: str, value: float, than: float | None) -> bool:
    """Whether a value is better than another; every value is better than None."""
    if than is None:
        return True
    return value < than if lower_is_better(metric) else value > than


def text(metric: str, value: float) -> str:
    """Format a value for a sentence."""
    return f"{value:.2%}" if metric.endswith("accuracy") else _significant(value)


def described(values: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """Name and value for people of each metric of the validation and test parts."""
    for part, title in (("val", "validation"), ("test", "test")):
        for metric, value in values.items():
            if metric.startswith(f"{part}_"):
                yield f"{title} {metric[len(part) + 1 :].replace('_', ' ')}", text(metric, value)
