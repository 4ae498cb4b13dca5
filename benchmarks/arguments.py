"""The command line of benchmarks."""

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmarks.peers.table import PEERS
from train import numbers

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


def _limit(parser: Parser) -> None:
    _served(parser)
    _quick(parser, "three sizes in place of five")
    parser.add_argument("--rounds", type=numbers.count, default=3, help="measurements over HTTP")
    parser.add_argument(
        "--seconds", type=numbers.count, default=2, help="whole ones, of each measurement"
    )


def _peers(parser: Parser) -> None:
    parser.add_argument(
        "--only",
        nargs="+",
        choices=list(PEERS),
        metavar="PEER",
        help="these alone: " + ", ".join(PEERS),
    )
    parser.add_argument("--rounds", type=numbers.count, default=3, help="starts of each server")
    parser.add_argument("--seconds", type=numbers.count, default=3, help="of each load, whole ones")
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
}
