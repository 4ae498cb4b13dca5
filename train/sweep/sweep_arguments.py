"""The command line of ``python -m train sweep``."""

import argparse
import dataclasses
from dataclasses import dataclass
from datetime import datetime

from cli import number_types
from train import preset, run_arguments, run_options
from train.errors import TrainError
from train.run_options import Options
from train.sweep import sweep_plan
from train.sweep.sweep_plan import Plan

STORAGE = "sqlite:///sweeps.db"


@dataclass(frozen=True)
class SweepOptions:
    """Which runs to make, and where to store their state."""

    plan: Plan
    options: Options
    """Options of every run, unless the plan varies them."""
    preset: str
    """The name of the preset of the options."""
    study: str
    storage: str
    """URL of Optuna's database."""


def parse(argv: list[str]) -> SweepOptions:
    """Read the command line; ends the process with status 2 where it is wrong.

    Raises:
        SystemExit: also if the plan is invalid.

    """
    parser = _parser()
    chosen, data = _plan(parser, argv)
    defaults = dict(chosen.options) if chosen else {}
    name = preset.default_for(data or defaults.get("data") or [""])
    run_arguments.add_options(parser, preset.load(name) | defaults)
    given = vars(parser.parse_args(argv))
    if chosen is None:
        parser.error(f"expected a plan: {', '.join(sweep_plan.names())}, or a TOML file")
    chosen = _changed(parser, chosen, given.pop("seeds"), given.pop("trials"))
    study = given.pop("study") or f"{chosen.name}-{datetime.now():%Y%m%d-%H%M%S}"
    storage = given.pop("storage")
    del given["plan"]
    wanted = SweepOptions(chosen, run_options.of_values(given), name, study, storage)
    if wanted.plan.space and (conflict := wanted.options.conflict()):
        parser.error(conflict)
    for run, options in wanted.plan.runs.items():
        if conflict := dataclasses.replace(wanted.options, **options).conflict():
            parser.error(f"run {run!r}: {conflict}")
    return wanted


def _plan(
    parser: argparse.ArgumentParser, argv: list[str]
) -> tuple[Plan | None, tuple[str, ...] | None]:
    """Find the plan, whose options are the defaults of the others, and the data."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, parents=[parser])
    run_arguments.add_options(finder, preset.load(preset.DEFAULT))
    finder.set_defaults(data=None)
    found = finder.parse_known_args([one for one in argv if one not in ("-h", "--help")])[0]
    try:
        return (sweep_plan.read(found.plan) if found.plan else None), found.data
    except TrainError as error:
        parser.error(str(error))


def _changed(
    parser: argparse.ArgumentParser, chosen: Plan, seeds: int | None, trials: int | None
) -> Plan:
    """Apply options of the command line to the plan."""
    if seeds and chosen.space:
        parser.error("--seeds can only be used with a plan of runs; a search has one seed")
    if trials and not chosen.space:
        parser.error("--trials can only be used with a plan that has a [search]")
    return dataclasses.replace(chosen, seeds=seeds or chosen.seeds, trials=trials or chosen.trials)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train sweep",
        usage="%(prog)s PLAN [options]",
        allow_abbrev=False,
        description="Make the runs of a plan, as children of one MLflow run. Several processes, on"
        " one or more machines, can share the runs of one study.",
        epilog="The last line of output is the id of the parent run, for"
        " python -m train compare --runs ID",
    )
    parser.add_argument(
        "plan",
        nargs="?",
        metavar="PLAN",
        help=f"{', '.join(sweep_plan.names())} (train/plans/NAME.toml), or a file like them",
    )
    parser.add_argument(
        "--study",
        metavar="NAME",
        help="name of a new study, or of one to join (default: the plan's name and the time)",
    )
    parser.add_argument(
        "--storage",
        default=STORAGE,
        metavar="URL",
        help="Optuna's database, not the one of MLflow (default: %(default)s)",
    )
    parser.add_argument(
        "--seeds",
        type=number_types.count,
        metavar="N",
        help="number of seeds per run, from --seed on (default: the plan's)",
    )
    parser.add_argument(
        "--trials",
        type=number_types.count,
        metavar="N",
        help="number of trials of a search (default: the plan's)",
    )
    return parser
