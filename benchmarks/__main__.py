"""``python -m benchmarks``: measure the server; ``--help`` lists the commands."""

import argparse
import sys
from collections.abc import Callable

from rich.console import Console

from benchmarks import arguments
from benchmarks.errors import BenchmarkError
from train import interrupt
from train.errors import TrainError


def main() -> int:
    """Run the command line; returns the exit status."""
    wanted = arguments.parse(sys.argv[1:])
    interrupt.on_every_signal()
    console = Console(stderr=True)
    try:
        _RUN[wanted.command](wanted, console)
    except (BenchmarkError, TrainError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("benchmarks: interrupted", file=sys.stderr)
        return 130
    return 0


def _run(wanted: argparse.Namespace, console: Console) -> None:
    from benchmarks.run import command

    command.run(wanted, console)


def _limit(wanted: argparse.Namespace, console: Console) -> None:
    from benchmarks.limit import command

    command.run(wanted, console)


def _peers(wanted: argparse.Namespace, console: Console) -> None:
    from benchmarks.peers import command

    command.run(wanted, console)


def _capacity(wanted: argparse.Namespace, console: Console) -> None:
    from benchmarks.capacity import command

    command.run(wanted, console)


def _guard(wanted: argparse.Namespace, console: Console) -> None:
    from benchmarks.guard import command

    command.run(wanted, console)


_RUN: dict[str, Callable[[argparse.Namespace, Console], None]] = {
    "run": _run,
    "limit": _limit,
    "peers": _peers,
    "capacity": _capacity,
    "guard": _guard,
}


if __name__ == "__main__":
    sys.exit(main())
