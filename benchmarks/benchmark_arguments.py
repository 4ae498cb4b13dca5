"""The command line of benchmarks: each option is declared once, each command lists its own."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fixtures import small_model
from benchmarks.load.prepared_request import MIXED, SIZES
from benchmarks.load.protocols import PROTOCOLS
from benchmarks.peers.peer_list import PEERS
from benchmarks.regress.scenarios import COMPARED, SCENARIOS
from cli import number_types


def milliseconds(text: str) -> float:
    """A time such as ``20ms``, ``0.5s``, or a plain number of milliseconds."""
    if text.endswith("s") and not text.endswith("ms"):
        return 1000 * number_types.positive(text.removesuffix("s"))
    return number_types.positive(text.removesuffix("ms"))


def _option(
    help_text: str, kind: Any = None, metavar: str | None = None, **more: Any
) -> dict[str, Any]:
    return {"help": help_text, "type": kind, "metavar": metavar, **more}


def _flag(help_text: str) -> dict[str, Any]:
    return {"help": help_text, "action": "store_true"}


def _list(names: Mapping[str, Any], metavar: str, help_text: str) -> dict[str, Any]:
    return {"help": help_text, "nargs": "+", "choices": list(names), "metavar": metavar}


_SMALL = "build/bench/models"
_SCENARIOS = "; ".join(f"{name}: {scenario.what}" for name, scenario in SCENARIOS.items())
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "--models": _option(
        f"model repository; {_SMALL} gets a small model when it is first needed", Path, "DIR"
    ),
    "--model": _option("name of the model", metavar="NAME"),
    "--protocol": _option("of the requests", choices=list(PROTOCOLS)),
    "--rows": _option("rows of each request", choices=[MIXED, *map(str, SIZES)]),
    "--host": _option(
        "measure a server that is running, such as http://127.0.0.1:8080, and start none; its CPU"
        " time and memory are then unknown",
        metavar="URL",
    ),
    "--quick": _flag("fewer sizes, and in run fewer users and repeats: about a minute"),
    "--only": _list(PEERS, "PEER", "only these servers: " + ", ".join(PEERS)),
    "--table": _flag(
        "send rows of a table of 30 numbers by their names, to a model that is made for this, and"
        " compare with FastAPI and pydantic"
    ),
    "--check": _flag("start each server once and check its answers, without a load"),
    "--p99": _option(
        "time within which 99 %% of requests must be answered, such as 20ms or 0.1s",
        milliseconds,
        "TIME",
    ),
    "--attempts": _option("at each rate; all must sustain it", number_types.count),
    "--tolerance": _option(
        "how close the search gets to a rate that is not sustained",
        number_types.between(0, 1),
        "FRACTION",
    ),
    "--target-rps": _option(
        "requests per second to plan replicas for", number_types.positive, "N", nargs="+"
    ),
    "--headroom": _option(
        "part of a replica's capacity that stays unused",
        number_types.between(0, 1, or_zero=True),
        "FRACTION",
    ),
    "--scenario": _list(SCENARIOS, "SCENARIO", f"what to measure; {_SCENARIOS}"),
    "--minutes": _option("duration of soak and overload", number_types.positive),
    "--calibrate": _option(
        "make so many runs of this code the committed reference; ten or more are good",
        number_types.count,
        "RUNS",
    ),
    "--rounds": _option("measurements of each load", number_types.count),
    "--seconds": _option("duration of each measurement", number_types.count),
    "--out": _option("folder or file for everything that was measured", Path, "PATH"),
    "--markdown": _option("put the table into this document", Path, "FILE"),
}


@dataclass(frozen=True)
class Command:
    """One command."""

    module: str
    """That has its ``run``; imported only when it is needed, because some take seconds."""
    what: str
    defaults: Mapping[str, Any]
    """Its options."""


_SERVED = {"--models": Path("models"), "--model": small_model.NAME}
_SMALL_MODEL = _SERVED | {"--models": Path(_SMALL)}
COMMANDS = {
    "run": Command(
        "benchmarks.run.run_grid",
        "Load a served model with a grid of batch sizes and users, and report percentiles, rates,"
        " CPU time and memory, also in the MLflow run that the model came from.",
        {
            **_SERVED,
            "--protocol": "predict",
            "--host": None,
            "--quick": False,
            "--out": Path("build/bench/report"),
            "--markdown": None,
        },
    ),
    "compare": Command(
        "benchmarks.compare.compare_servers",
        "Compare the server with others that serve the same model under the same load. Each is"
        " installed below build/ when it is first needed.",
        {
            **_SMALL_MODEL,
            "--only": list(PEERS),
            "--table": False,
            "--check": False,
            "--rounds": 3,
            "--seconds": 3,
            "--out": Path("build/bench/compare.json"),
            "--markdown": None,
        },
    ),
    "profile": Command(
        "benchmarks.profile.profile_requests",
        "Show where each microsecond of a request goes: parsing, inference, rendering and HTTP.",
        {**_SERVED, "--quick": False, "--rounds": 3, "--seconds": 2, "--markdown": None},
    ),
    "capacity": Command(
        "benchmarks.capacity.find_capacity",
        "Find the highest rate that one replica sustains within a p99, and how many replicas a"
        " given rate needs.",
        {
            **_SERVED,
            "--protocol": "predict",
            "--rows": MIXED,
            "--p99": 20.0,
            "--attempts": 3,
            "--seconds": 5,
            "--tolerance": 0.03,
            "--target-rps": [1_000, 10_000, 100_000, 1_000_000],
            "--headroom": 0.3,
            "--out": Path("build/bench/capacity.json"),
            "--markdown": None,
        },
    ),
    "regress": Command(
        "benchmarks.regress.check_regressions",
        "Compare ratios with a committed reference, and figures with their targets.",
        {
            **_SMALL_MODEL,
            "--scenario": list(COMPARED),
            "--rounds": 3,
            "--seconds": 2,
            "--minutes": 5.0,
            "--calibrate": 0,
        },
    ),
}


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the command line; exits with status 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        allow_abbrev=False,
        description="Measure the server: under load, beside others, and up to its limit.",
        epilog="Each command has its own --help. docs/benchmarks.md explains the figures.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        added = commands.add_parser(
            name,
            help=command.what,
            description=command.what,
            allow_abbrev=False,
        )
        for option, default in command.defaults.items():
            described = {**OPTIONS[option]}
            if default:
                listed = default if isinstance(default, list) else [default]
                described["help"] += f" (default: {', '.join(map(str, listed))})"
            added.add_argument(option, default=default, **described)
    return parser.parse_args(argv)
