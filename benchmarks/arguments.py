"""The command line of benchmarks."""

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmarks.load.prepared_request import MIXED, SIZES
from benchmarks.load.protocols import DIALECTS
from benchmarks.peers.peer_list import PEERS
from cli import number_types

Parser = argparse.ArgumentParser


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the command line; ends the process with status 2 where it is wrong."""
    parser = Parser(
        prog="python -m benchmarks",
        allow_abbrev=False,
        description="Measure the server: by itself, beside others, and to its limit.",
        epilog="Each command has a --help of its own. docs/benchmarks.md explains the figures.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (fill, does) in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=does,
            description=does,
            allow_abbrev=False,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        fill(command)
    return parser.parse_args(argv)


def _run(parser: Parser) -> None:
    _served(parser)
    parser.add_argument(
        "--host",
        metavar="URL",
        help="measure a server that runs already, such as http://127.0.0.1:8080, and start none;"
        " its CPU and memory are then not known",
    )
    _quick(parser, "three sizes and two numbers of users, twice: about a minute")
    parser.add_argument(
        "--out", type=Path, default=Path("build/bench/report"), metavar="DIR", help="the report"
    )
    _markdown(parser)


def _limit(parser: Parser) -> None:
    _served(parser)
    _quick(parser, "three sizes in place of five")
    parser.add_argument(
        "--rounds", type=number_types.count, default=3, help="measurements over HTTP"
    )
    parser.add_argument(
        "--seconds", type=number_types.count, default=2, help="whole ones, of each measurement"
    )


def _peers(parser: Parser) -> None:
    parser.add_argument(
        "--only",
        nargs="+",
        choices=list(PEERS),
        metavar="PEER",
        help="these alone: " + ", ".join(PEERS),
    )
    parser.add_argument(
        "--rounds", type=number_types.count, default=3, help="starts of each server"
    )
    parser.add_argument(
        "--seconds", type=number_types.count, default=3, help="of each load, whole ones"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/bench/peers.json"),
        metavar="FILE",
        help="all that was measured",
    )
    _markdown(parser)


def _capacity(parser: Parser) -> None:
    _served(parser)
    parser.add_argument(
        "--p99",
        type=milliseconds,
        default=20.0,
        metavar="TIME",
        help="what 99 %% of requests may take, such as 20ms or 0.1s",
    )
    parser.add_argument(
        "--target-rps",
        type=number_types.positive,
        nargs="+",
        metavar="N",
        help="requests a second to plan for (default: 1,000, 10,000, 100,000 and a million)",
    )
    parser.add_argument(
        "--headroom",
        type=number_types.between(0, 1, or_zero=True),
        default=0.3,
        help="part of what a replica holds that is kept in reserve",
    )
    parser.add_argument(
        "--rows", choices=[MIXED, *map(str, SIZES)], default=MIXED, help="of each request"
    )
    parser.add_argument(
        "--dialect", choices=list(DIALECTS), default="predict", help="of the requests"
    )
    parser.add_argument("--searches", type=number_types.count, default=3, help="for the spread")
    parser.add_argument(
        "--seconds", type=number_types.positive, default=5.0, help="of each rate that is tried"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/bench/capacity.json"),
        metavar="FILE",
        help="all that was measured",
    )


def _guard(parser: Parser) -> None:
    _rounds(parser, 3, 2)
    parser.add_argument(
        "--update", action="store_true", help="make what is measured the committed reference"
    )


def _stress(parser: Parser) -> None:
    _rounds(parser, 5, 5)
    parser.add_argument(
        "--soak",
        type=number_types.not_negative,
        default=0,
        metavar="MINUTES",
        help="mixed load for so long instead, for its memory",
    )
    parser.add_argument(
        "--overload",
        type=number_types.not_negative,
        default=0,
        metavar="MINUTES",
        help="ten times the load that it can carry, for so long instead",
    )


def _batching(parser: Parser) -> None:
    _rounds(parser, 5, 3)


def _rounds(parser: Parser, rounds: int, seconds: int) -> None:
    parser.add_argument("--rounds", type=number_types.count, default=rounds, help="of each load")
    parser.add_argument(
        "--seconds", type=number_types.count, default=seconds, help="of each load, whole ones"
    )


def milliseconds(text: str) -> float:
    """A time such as ``20ms``, ``0.5s``, or a plain number of milliseconds."""
    if text.endswith("s") and not text.endswith("ms"):
        return 1000 * number_types.positive(text.removesuffix("s"))
    return number_types.positive(text.removesuffix("ms"))


def _markdown(parser: Parser) -> None:
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="put the table into this document"
    )


def _quick(parser: Parser, does: str) -> None:
    parser.add_argument("--quick", action="store_true", help=does)


def _served(parser: Parser) -> None:
    parser.add_argument(
        "--models", type=Path, default=Path("models"), metavar="DIR", help="the repository to serve"
    )
    parser.add_argument("--name", default="mnist", help="of the served model")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("data"),
        metavar="FOLDER_OR_NPZ",
        help="data set that the digits come from; a folder without one is where MNIST is kept",
    )


COMMANDS: dict[str, tuple[Callable[[Parser], None], str]] = {
    "run": (
        _run,
        "Load a served model with a grid of batch sizes and users, and report percentiles, rates,"
        " CPU and memory, also into the MLflow run that the model came from.",
    ),
    "limit": (
        _limit,
        "Say where each microsecond of an answer goes: parse, run, render, and HTTP.",
    ),
    "peers": (
        _peers,
        "Measure what a user would pick instead, with the same model and load, in turn. Each is"
        " installed below build/ when it is first asked for.",
    ),
    "capacity": (
        _capacity,
        "Find the highest rate that one replica holds within a p99, and say how many replicas a"
        " rate takes.",
    ),
    "guard": (
        _guard,
        "Compare ratios with those committed, and say what moved by more than the noise of this"
        " run.",
    ),
    "stress": (
        _stress,
        "Say what the server does for others while it is busy or overrun, what memory it takes, and"
        " how soon it is ready.",
    ),
    "batching": (
        _batching,
        "Compare the server with itself: shared runs, a delay, threads, with a small and a heavy"
        " model.",
    ),
}
