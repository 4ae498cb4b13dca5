"""The command line of ``python -m train baseline``."""

import argparse
import dataclasses

from train import preset, run_arguments, run_options
from train.data_options import DataOptions
from train.run_options import Options

OPTIONS = {field.name for field in dataclasses.fields(DataOptions)} | {"seed"}
"""Options that influence the trees, or name what they learn from."""


def parse(argv: list[str]) -> Options:
    """Read the command line; ends the process with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m train baseline",
        allow_abbrev=False,
        description="Train gradient-boosted trees (scikit-learn's HistGradientBoosting) on the"
        " training rows of a network, and record their validation and test metrics as a run of the"
        " same experiment.",
        epilog="The run can't be exported, so export --best never chooses it.",
    )
    values = preset.load(run_arguments.preset_of(argv))
    run_arguments.add_options(parser, values, only={*OPTIONS, "experiment"})
    return run_options.of_values(values | vars(parser.parse_args(argv)))
