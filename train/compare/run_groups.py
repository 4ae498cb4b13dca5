"""Groups of runs that differ only in their seed or fold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from tracking.metrics import METRICS, Metric, lower_is_better
from tracking.run_session import SEED_SEPARATOR
from train.compare.finished_runs import Run
from train.errors import TrainError


@dataclass(frozen=True)
class Group:
    """One line of a comparison."""

    runs: Sequence[Run]
    """The best one first."""
    difference: str = ""
    """Whether it differs from the best group; empty if that was not examined."""

    @property
    def name(self) -> str:
        """The name of its runs, without the seed."""
        names = {run.name.partition(SEED_SEPARATOR)[0] for run in self.runs}
        return names.pop() if len(names) == 1 else f"{self.runs[0].name} and others"

    @property
    def options(self) -> dict[str, str]:
        """The options that all of its runs share."""
        return self.runs[0].options

    def values(self, metric: str) -> list[float]:
        """Values of a metric, of the runs that have it."""
        return [run.metrics[metric] for run in self.runs if metric in run.metrics]

    def interval(self) -> tuple[float, float] | None:
        """95 % confidence interval of the validation accuracy, given the number of rows."""
        rows, accuracies = self.runs[0].validation_rows, self.values("val_accuracy")
        if not rows or not accuracies:
            return None
        from scipy.stats import binomtest  # here: it takes half a second

        correct = round(mean(accuracies) * rows)
        low, high = binomtest(correct, rows).proportion_ci(0.95, method="wilson")
        return float(low), float(high)


def grouped(runs: Sequence[Run], metric: str) -> list[Group]:
    """Group runs, and sort the groups by the mean of a metric, best first.

    Raises:
        TrainError: no run has the metric.

    """
    if not any(metric in run.metrics for run in runs):
        known = sorted({name for run in runs for name in run.metrics if "/" not in name})
        raise TrainError(f"no run has the metric {metric}; there are {', '.join(known)}")
    sign = 1 if lower_is_better(metric) else -1

    def key(values: list[float]) -> float:
        return sign * mean(values) if values else math.inf

    alike: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: key([run.metrics.get(metric, sign * math.inf)])):
        alike.setdefault(run.identity, []).append(run)
    return sorted(map(Group, alike.values()), key=lambda group: key(group.values(metric)))


def differing(groups: Sequence[Group]) -> list[str]:
    """Names of the options in which groups differ, in the order of the first group."""
    names = dict.fromkeys(name for group in groups for name in group.options)
    return [name for name in names if len({group.options.get(name) for group in groups}) > 1]


def options_off_preset(groups: Sequence[Group]) -> list[str]:
    """Names of the differing options that the presets of the groups do not imply."""
    changed = {name for group in groups for run in group.runs for name in run.off_preset}
    return [name for name in differing(groups) if name in changed]


def metrics_of(groups: Sequence[Group]) -> list[Metric]:
    """The metrics that any group has."""
    return [one for one in METRICS if any(group.values(one.key) for group in groups)]
