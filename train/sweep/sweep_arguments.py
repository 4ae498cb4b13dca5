"""The command line of a sweep."""

import argparse
import dataclasses
from dataclasses import dataclass
from datetime import datetime

from cli import number_types
from train import preset, run_arguments
from train.errors import TrainError
from train.run_options import Options
from train.sweep import sweep_plan
from train.sweep.sweep_plan import Plan

STORAGE = "sqlite:///sweeps.db"


@dataclass(frozen=True)
class Sweep:
    """Which runs are made, and where their state is kept."""

    plan: Plan
    options: Options
    """Of every run, where the plan does not vary them."""
    study: str
    storage: str
    """Of Optuna, as SQLAlchemy has it."""


def parse(argv: list[str]) -> Sweep:
    """Read the command line; ends the process with status 2 where it is wrong.

    Raises:
        SystemExit: also where the plan is not one.

    """
    parser = _parser()
    chosen = _plan(parser, argv)
    theirs = dict(chosen.options) if chosen else {}
    run_arguments.add_options(parser, preset.load(preset.DEFAULT) | theirs)
    given = vars(parser.parse_args(argv))
    if chosen is None:
        parser.error(f"which plan? {', '.join(sweep_plan.names())}, or a TOML file")
    chosen = _changed(parser, chosen, given.pop("seeds"), given.pop("trials"))
    study = given.pop("study") or f"{chosen.name}-{datetime.now():%Y%m%d-%H%M%S}"
    storage = given.pop("storage")
    del given["plan"]
    wanted = Sweep(chosen, Options(**given), study, storage)
    if wanted.plan.space and (fault := wanted.options.fault()):
        parser.error(fault)
    for run, options in wanted.plan.runs.items():
        if fault := dataclasses.replace(wanted.options, **options).fault():
            parser.error(f"run {run!r}: {fault}")
    return wanted


def _plan(parser: argparse.ArgumentParser, argv: list[str]) -> Plan | None:
    """The plan that is named, wherever it stands; its options are the defaults of the rest."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, parents=[parser])
    run_arguments.add_options(finder, preset.load(preset.DEFAULT))
    name = finder.parse_known_args([one for one in argv if one not in ("-h", "--help")])[0].plan
    try:
        return sweep_plan.read(name) if name else None
    except TrainError as error:
        parser.error(str(error))


def _changed(
    parser: argparse.ArgumentParser, chosen: Plan, seeds: int | None, trials: int | None
) -> Plan:
    """The plan with what the command line has in place of the file."""
    if seeds and chosen.space:
        parser.error("--seeds goes with a plan of runs; a search is over one seed")
    if trials and not chosen.space:
        parser.error("--trials goes with a plan that has a [search]")
    return dataclasses.replace(chosen, seeds=seeds or chosen.seeds, trials=trials or chosen.trials)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train sweep",
        usage="%(prog)s PLAN [options]",
        allow_abbrev=False,
        description="Make the runs of a plan, below one run of MLflow. Several of these commands,"
        " on one or many machines, share the runs of one study.",
        epilog="The last line printed is the id of the run above the others:"
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
        help="a new one, or one to work at (default: the plan's name and the time)",
    )
    parser.add_argument(
        "--storage",
        default=STORAGE,
        metavar="URL",
        help="where Optuna keeps studies, any database that it takes, but not MLflow's"
        " (default: %(default)s)",
    )
    parser.add_argument(
        "--seeds",
        type=number_types.count,
        metavar="N",
        help="make each run so often, from --seed on (default: the plan's)",
    )
    parser.add_argument(
        "--trials",
        type=number_types.count,
        metavar="N",
        help="runs of a search (default: the plan's)",
    )
    return parser
