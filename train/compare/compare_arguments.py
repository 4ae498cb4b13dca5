"""The command line of ``python -m train compare``."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from cli import number_types
from tracking import metrics


@dataclass(frozen=True)
class CompareOptions:
    """Which runs to compare, and how to show them."""

    experiment: str | None
    """None for that of the newest finished run."""
    runs: list[str]
    """Ids of runs or sweeps, instead of an experiment."""
    sort: str | None
    """A metric; None for the one by which runs of their task are chosen."""
    top: int
    html: Path | None
    markdown: Path | None


def parse(argv: list[str]) -> CompareOptions:
    """Read the command line; ends the process with status 2 where it is wrong."""
    return CompareOptions(**vars(_parser().parse_args(argv)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train compare",
        allow_abbrev=False,
        description="Compare finished runs: the options in which they differ, and their metrics."
        " Runs that differ only in their seed share one line, with mean ± standard deviation.",
        epilog="Metrics of exports and load tests are shown if there are any. Those of the test set"
        " are among them; runs can't be sorted by these, because a test set that decides"
        " something no longer tests.",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--experiment",
        metavar="NAME",
        help="MLflow experiment of the runs (default: that of the newest finished run)",
    )
    which.add_argument(
        "--runs",
        nargs="+",
        default=[],
        metavar="RUN_ID",
        help="only these runs; the id of a sweep stands for all of its runs",
    )
    parser.add_argument(
        "--sort",
        type=metrics.for_choosing,
        metavar="METRIC",
        help="sort by this metric, best first: the largest, or for losses, errors, times and sizes"
        " the smallest (default: val_accuracy; val_rmse for regression)",
    )
    parser.add_argument(
        "--top",
        type=number_types.count,
        default=20,
        metavar="N",
        help="lines (default: %(default)s)",
    )
    parser.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        help="also write an HTML page with learning curves, the metric by option, and the"
        " validation result by latency",
    )
    parser.add_argument(
        "--markdown",
        type=Path,
        metavar="FILE",
        help="also write the table into this file, without options that presets imply, between"
        " <!-- runs --> and <!-- /runs -->",
    )
    return parser
