"""``python -m tests.reliability``: attacks and faults at length, and what came of them."""

import argparse
import math
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.durability import kills
from tests.models import shared
from tests.reliability import attack, faults, parsing, soak, stops
from tests.reliability.stage import Report, play, stage

_MODELS = Path("build/test-models")
_GROWN = 1.1


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
    command = commands.add_parser(
        "documents",
        help="read generated documents of every protocol",
        description="Each must be refused, or read as Python's own json and csv read it.",
    )
    command.add_argument("--count", type=int, default=10**6, help="how many (default: 1000000)")
    command.add_argument("--seed", type=int, default=1, help="of the documents (default: 1)")
    command.set_defaults(run=_documents)
    command = commands.add_parser(
        "attack",
        help="send generated HTTP to a server, most of it wrong",
        description="Broken heads and bodies, truncated, reset, out of order, on raw sockets.",
    )
    command.add_argument("--count", type=int, default=10**5, help="connections (default: 100000)")
    command.add_argument("--seed", type=int, default=1, help="of what is sent (default: 1)")
    command.set_defaults(run=_attack)
    command = commands.add_parser(
        "kills",
        help="kill training, export and promotion at random moments",
        description="After each, the MLflow store and every published version must be whole.",
    )
    command.add_argument(
        "names", nargs="*", metavar="COMMAND", choices=[[], *kills.COMMANDS], help="default: all"
    )
    command.add_argument("--times", type=int, default=50, help="each (default: 50)")
    command.add_argument("--seed", type=int, default=1, help="of the moments (default: 1)")
    command.set_defaults(run=_kills)
    command = commands.add_parser(
        "soak",
        help="ask, attack and swap versions for long",
        description="Memory and descriptors of the server must stay as they are.",
    )
    command.add_argument("--minutes", type=float, default=60, help="how long (default: 60)")
    command.set_defaults(run=_soak)
    wanted = parser.parse_args()
    # As an exception, so that no server outlives a run that is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    shared.make(_MODELS.resolve())
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
    _complain([*stopped.wrong, *stopped.lost])
    return not stopped.wrong and not stopped.lost and stopped.statuses == {0}


def _documents(wanted: argparse.Namespace) -> bool:
    counted, wrong = parsing.summary(wanted.seed, wanted.count)
    _complain(wrong)
    print(
        f"{wanted.count:,} documents: {counted[True]:,} read, {counted[False]:,} refused,"
        f" {len(wrong):,} wrong"
    )
    return not wrong


def _attack(wanted: argparse.Namespace) -> bool:
    outcome = attack.attack(_MODELS / "other-models", wanted.count, wanted.seed)
    _complain([*outcome.wrong, *outcome.logged])
    statuses = ", ".join(
        f"{count:,} x {status}" for status, count in outcome.statuses.most_common()
    )
    print(
        f"{wanted.count:,} connections: {statuses}; {len(outcome.wrong)} wrong,"
        f" {outcome.workers_lost} workers lost, {len(outcome.logged)} lines of log,"
        f" at most {outcome.peak_mib:.0f} MiB"
    )
    return not (outcome.wrong or outcome.workers_lost or outcome.logged)


def _soak(wanted: argparse.Namespace) -> bool:
    soaked = soak.soak(_MODELS, wanted.minutes)
    _complain(soaked.problems)
    memory, descriptors = soaked.grown
    print(
        f"{wanted.minutes:g} min: {soaked.asked:,} requests, {soaked.attacks:,} attacks,"
        f" {soaked.versions} versions, {len(soaked.problems)} problems; in the last quarter"
        f" {memory:.3f} times the memory of the second, {descriptors:.3f} times the descriptors"
    )
    return not soaked.problems and max(memory, descriptors) < _GROWN


def _kills(wanted: argparse.Namespace) -> bool:
    kept = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(_MODELS / "few.npz", folder)
        kills.prepare(folder)
        for what in wanted.names or kills.COMMANDS:
            killed = kills.kill(folder, kills.COMMANDS[what], wanted.times, wanted.seed)
            _complain(killed.problems)
            print(f"{what}: killed {killed.times} times, {len(killed.problems)} problems")
            kept &= not killed.problems
    return kept


def _complain(wrong: Sequence[str]) -> None:
    for what in wrong[:5]:
        print(what, file=sys.stderr)


def _is_kept(report: Report) -> bool:
    _complain(report.wrong)
    return not report.wrong and len(report.failed) <= report.may_fail


if __name__ == "__main__":
    sys.exit(main())
