"""The command line of a single run."""

import argparse
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train import preset, run_options
from train.run_options import Options

_RESUME = "--resume"


@dataclass(frozen=True)
class Start:
    """A new run."""

    options: Options
    preset: str
    """That the options come from."""


@dataclass(frozen=True)
class Resume:
    """Going on with a run that was cut short."""

    run_id: str
    checkpoints: Path


def parse(argv: list[str]) -> Start | Resume:
    """Read the command line; ends the process with status 2 where it is wrong."""
    if any(argument.partition("=")[0] == _RESUME for argument in argv):
        return Resume(**vars(_resume_parser().parse_args(argv)))
    chosen = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    _add_preset(chosen)
    parser = _parser(chosen.parse_known_args(argv)[0].preset)
    given = vars(parser.parse_args(argv))
    name = given.pop("preset")
    del given["resume"]
    wanted = Options(**given)
    if fault := wanted.fault():
        parser.error(fault)
    return Start(wanted, name)


def _resume_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train",
        allow_abbrev=False,
        description="Go on with a run that was killed, from its last whole epoch and as it began:"
        " with its options, and on its data, wherever that lay.",
    )
    parser.add_argument(_RESUME, dest="run_id", metavar="RUN_ID", required=True, help="the run")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        metavar="DIR",
        default=run_options.CHECKPOINTS,
        help="the folder that the run was begun with (default: %(default)s)",
    )
    return parser


def _add_preset(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--preset",
        choices=preset.names(),
        default=preset.DEFAULT,
        help="where the other options come from, train/presets/NAME.toml (default: %(default)s)",
    )


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train",
        usage="%(prog)s [options] | --resume RUN_ID | sweep PLAN … | compare …",
        allow_abbrev=False,
        description="Train a dense network on 28x28 images and record the run in MLflow"
        " (MLFLOW_TRACKING_URI, by default sqlite:///mlflow.db).",
        epilog="The last line printed is the run's id: python -m export --run ID. Many runs by a"
        " plan: python -m train sweep --help; runs side by side: python -m train compare --help.",
    )
    _add_preset(parser)
    parser.add_argument(
        _RESUME, metavar="RUN_ID", help="go on with a run that was killed, as it began"
    )
    add_options(parser, preset.load(name))
    return parser


def add_options(parser: argparse.ArgumentParser, values: Mapping[str, Any]) -> None:
    """Add every option of a run, with these values as their defaults."""
    groups: dict[str, argparse._ArgumentGroup] = {}
    for option in dataclasses.fields(run_options.Options):
        told = dict(option.metadata)
        group = told.pop("group")
        if group not in groups:
            groups[group] = parser.add_argument_group(group)
        default = values.get(option.name, option.default)
        if default not in (None, dataclasses.MISSING) and "default:" not in told["help"]:
            told["help"] += f" (default: {_shown(default)})"
        default = None if default is dataclasses.MISSING else default
        groups[group].add_argument("--" + option.name.replace("_", "-"), default=default, **told)


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
