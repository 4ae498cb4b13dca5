"""The command line of ``python -m train`` for a single run."""

import argparse
import dataclasses
from collections.abc import Collection, Mapping
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
    """The name of the preset of the options."""


@dataclass(frozen=True)
class Resume:
    """Resuming an interrupted run."""

    run_id: str
    checkpoints: Path


def parse(argv: list[str]) -> Start | Resume:
    """Read the command line; ends the process with status 2 where it is wrong."""
    if any(argument.partition("=")[0] == _RESUME for argument in argv):
        return Resume(**vars(_resume_parser().parse_args(argv)))
    parser = _parser(preset_of(argv))
    given = vars(parser.parse_args(argv))
    name = given.pop("preset")
    del given["resume"]
    chosen = run_options.of_values(given)
    if conflict := chosen.conflict():
        parser.error(conflict)
    return Start(chosen, name)


def _resume_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train",
        allow_abbrev=False,
        description="Resume an interrupted run from its last completed epoch, with the same options"
        " and data.",
    )
    parser.add_argument(_RESUME, dest="run_id", metavar="RUN_ID", required=True, help="the run")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        metavar="DIR",
        default=run_options.CHECKPOINTS,
        help="the folder given when the run was started (default: %(default)s)",
    )
    return parser


def preset_of(argv: list[str]) -> str:
    """Find the preset in a command line; it has the defaults of the other options."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    _add_preset(finder)
    finder.add_argument("--data", nargs="+", default=[""])
    found = finder.parse_known_args(argv)[0]
    return found.preset or preset.default_for(found.data)


def _add_preset(parser: argparse._ActionsContainer, default: str | None = None) -> None:
    parser.add_argument(
        "--preset",
        choices=preset.names(),
        default=default,
        help="defaults of the other options, from train/presets/NAME.toml (default:"
        f" {preset.SMALL} if --data names a table or the digits, else {preset.DEFAULT})",
    )


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train",
        usage="%(prog)s [options] | --resume RUN_ID | sweep PLAN … | compare … | baseline …",
        allow_abbrev=False,
        description="Train a dense network on a table or on images, and record the run in MLflow"
        " (MLFLOW_TRACKING_URI, by default sqlite:///mlflow.db).",
        epilog="The last line of output is the run's id, for python -m export --run ID. See also"
        " python -m train sweep --help (many runs), compare --help and baseline --help.",
    )
    _add_preset(parser, name)
    parser.add_argument(_RESUME, metavar="RUN_ID", help="resume an interrupted run")
    add_options(parser, preset.load(name))
    return parser


def add_options(
    parser: argparse.ArgumentParser, values: Mapping[str, Any], only: Collection[str] = ()
) -> None:
    """Add every option of a run, or ``only`` some, with these values as defaults."""
    groups: dict[str, argparse._ArgumentGroup] = {}
    for option in dataclasses.fields(run_options.Options):
        if only and option.name not in only:
            continue
        argument = dict(option.metadata)
        group = argument.pop("group")
        if group not in groups:
            groups[group] = parser.add_argument_group(group)
        default = values.get(option.name, option.default)
        if default not in (None, (), dataclasses.MISSING) and "default:" not in argument["help"]:
            argument["help"] += f" (default: {_shown(default)})"
        default = None if default is dataclasses.MISSING else default
        groups[group].add_argument(
            "--" + option.name.replace("_", "-"), default=default, **argument
        )


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
