"""The command line of a comparison."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from cli import number_types


@dataclass(frozen=True)
class Compare:
    """Which runs are compared, and how they are shown."""

    experiment: str
    runs: list[str]
    """Ids of runs, or of sweeps, in place of an experiment."""
    sort: str
    top: int
    html: Path | None
    markdown: Path | None


def parse(argv: list[str]) -> Compare:
    """Read the command line; ends the process with status 2 where it is wrong."""
    return Compare(**vars(_parser().parse_args(argv)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train compare",
        allow_abbrev=False,
        description="Compare finished runs: the options that differ, and what was measured. Runs"
        " that differ in nothing but their seed are one line: their number, mean ± standard"
        " deviation.",
        epilog="Measures that only an export or a load test adds are shown where there are any.",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--experiment",
        default="mnist",
        metavar="NAME",
        help="MLflow experiment of the runs (default: %(default)s)",
    )
    which.add_argument(
        "--runs",
        nargs="+",
        default=[],
        metavar="RUN_ID",
        help="these runs alone; that of a sweep stands for all of its runs",
    )
    parser.add_argument(
        "--sort",
        default="val_accuracy",
        metavar="METRIC",
        help="best first: the largest, or the smallest of a loss, of times and sizes"
        " (default: %(default)s)",
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
        help="also write one page with learning curves, options against the metric, and accuracy"
        " against latency",
    )
    parser.add_argument(
        "--markdown",
        type=Path,
        metavar="FILE",
        help="also write the table into this document, without what presets say, between its"
        " lines <!-- runs --> and <!-- /runs -->",
    )
    return parser
