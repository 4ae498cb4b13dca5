"""What is normal for each ratio: a prediction interval from runs of the same code (A/A runs).

A run measures the median of each ratio over its rounds. ``regress --calibrate N`` makes N runs with
new servers in each, and commits these medians. The next run of the same code then lies within

    mean ± t · s · sqrt(1 + 1/N)

of the logarithms, where s is their standard deviation and t the quantile of Student's t with N - 1
degrees of freedom (Hahn and Meeker, Statistical Intervals, section 4.7). As all ratios are compared
at once, t is chosen for ``FALSE_ALARMS`` divided by their number (Bonferroni), so that a run of
unchanged code reports anything in at most one case of fifty.
"""

import functools
import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scipy.stats import t as student

from benchmarks.errors import BenchmarkError
from benchmarks.regress.metrics import Result
from benchmarks.report import files

FILE = Path(__file__).parent / "reference.json"
FALSE_ALARMS = 1 / 50  # of the runs of unchanged code
LEAST_RUNS = 5


@dataclass(frozen=True)
class Bounds:
    """Between which a run of unchanged code lies."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass
class Reference:
    """The medians of each ratio in runs of the same code."""

    runs: dict[str, list[float]] = field(default_factory=dict)
    """By ``Result.key``; all of the same length."""
    circumstances: str = ""

    def add(self, results: Iterable[Result]) -> None:
        """Add a run."""
        for one in results:
            self.runs.setdefault(one.key, []).append(one.value)

    def bounds(self, keys: Iterable[str]) -> dict[str, Bounds]:
        """Of those of ``keys`` that are known, if all are compared at once."""
        known = [key for key in keys if key in self.runs]
        return {key: _bounds(self.runs[key], len(known)) for key in known}

    def false_alarms(self) -> int:
        """Runs that would be reported, each compared with all others."""
        count = len(next(iter(self.runs.values()), []))
        return sum(self._alarms(run) for run in range(count))

    def _alarms(self, run: int) -> bool:
        """Whether a run is out of the bounds of the others."""
        for values in self.runs.values():
            found = _bounds(values[:run] + values[run + 1 :], len(self.runs))
            if not found.low <= values[run] <= found.high:
                return True
        return False

    def write(self) -> None:
        """Write it to ``FILE``."""
        runs = {key: [round(value, 4) for value in values] for key, values in self.runs.items()}
        files.write_json({"circumstances": self.circumstances, "runs": runs}, FILE)


def _bounds(values: Sequence[float], compared: int) -> Bounds:
    logarithms = [math.log(value) for value in values]
    count = len(values)
    margin = _quantile(compared, count) * statistics.stdev(logarithms) * math.sqrt(1 + 1 / count)
    mean = statistics.fmean(logarithms)
    return Bounds(statistics.median(values), math.exp(mean - margin), math.exp(mean + margin))


@functools.cache
def _quantile(compared: int, count: int) -> float:
    """Of Student's t, for both sides of so many bounds from so many runs."""
    return float(student.ppf(1 - FALSE_ALARMS / compared / 2, count - 1))


def read() -> Reference:
    """The committed reference; an empty one if there is none.

    Raises:
        BenchmarkError: it is damaged.

    """
    try:
        document: Mapping[str, Mapping[str, Sequence[float]]] = json.loads(FILE.read_text())
        runs = {key: [float(value) for value in values] for key, values in document["runs"].items()}
        return Reference(runs, str(document["circumstances"]))
    except FileNotFoundError:
        return Reference()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BenchmarkError(f"{FILE} is not a reference: {error}") from None
