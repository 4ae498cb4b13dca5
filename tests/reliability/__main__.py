"""``python -m tests.reliability``: attacks and faults at length, and what came of them."""

import argparse
import math
import sys
from pathlib import Path

from tests import shared_models
from tests.reliability import faults, stops
from tests.reliability.stage import Report, play, stage

_MODELS = Path("build/test-models")


def main() -> int:
    """Run the command line; returns 1 where a promise was not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser(
        "faults",
        help="let faults happen to a server under steady load",
        description="Each fault happens to a server of two workers, whose answers are all checked.",
    )
    command.add_argument(
        "names", nargs="*", metavar="FAULT", choices=[[], *faults.ALL], help=", ".join(faults.ALL)
    )
    command.set_defaults(run=_faults)
    command = commands.add_parser(
        "stops",
        help="stop a server (SIGTERM) at random moments under load",
        description="Half of the clients open a connection for each request, half keep theirs.",
    )
    command.add_argument("--times", type=int, default=100, help="how often (default: 100)")
    command.add_argument("--seed", type=int, default=1, help="of the moments (default: 1)")
    command.set_defaults(run=_stops)
    wanted = parser.parse_args()
    shared_models.make(_MODELS.resolve())
    kept: bool = wanted.run(wanted)
    return int(not kept)


def _faults(wanted: argparse.Namespace) -> bool:
    print("| fault | requests | wrong answers | failed | may fail | recovered after |")
    print("|---|--:|--:|--:|--:|--:|")
    kept = True
    for name in wanted.names or faults.ALL:
        fault = faults.ALL[name]
        with stage(_MODELS / "swapped-models", long=True) as on:
            report = play(fault.act, on)
        kept &= _is_kept(report)
        allowed = "any" if report.may_fail == math.inf else report.may_fail
        print(
            f"| {fault.what} | {report.sent:,} | {len(report.wrong)} | {len(report.failed)}"
            f" | {allowed} | {report.recovered_after:.1f} s |",
            flush=True,
        )
    return kept


def _stops(wanted: argparse.Namespace) -> bool:
    stopped = stops.stop(_MODELS / "swapped-models", wanted.times, wanted.seed)
    print(
        f"{wanted.times} stops: {stopped.sent:,} requests, {len(stopped.wrong)} wrong answers,"
        f" {len(stopped.lost)} lost, exit statuses {sorted(stopped.statuses)}"
    )
    return not stopped.wrong and not stopped.lost and stopped.statuses == {0}


def _is_kept(report: Report) -> bool:
    for what in (*report.wrong, *report.failed)[:5]:
        print(what, file=sys.stderr)
    return not report.wrong and len(report.failed) <= report.may_fail


if __name__ == "__main__":
    sys.exit(main())
