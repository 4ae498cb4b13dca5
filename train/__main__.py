"""``python -m train``: train one model, many or a baseline, or compare runs; see ``--help``."""

import sys
from collections.abc import Callable
from functools import partial

from rich.console import Console

from cli import interrupt
from cli.errors import CommandError
from train import run_arguments
from train.baseline import baseline_arguments
from train.compare import compare_arguments
from train.compare.compare_arguments import CompareOptions
from train.run_arguments import Resume, Start
from train.run_options import Options
from train.sweep import sweep_arguments
from train.sweep.sweep_arguments import SweepOptions


def main() -> int:
    """Run the command line; returns the exit status."""
    command = _command(sys.argv[1:])
    interrupt.on_every_signal()
    try:
        command(Console(stderr=True))
    except CommandError as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as reason:
        print("; ".join(["train: interrupted", *map(str, reason.args)]), file=sys.stderr)
        return 130
    return 0


def _command(argv: list[str]) -> Callable[[Console], None]:
    """Choose the command; TensorFlow is imported only after the options were checked."""
    if argv[:1] == ["sweep"]:
        return partial(_sweep, sweep_arguments.parse(argv[1:]))
    if argv[:1] == ["baseline"]:
        return partial(_baseline, baseline_arguments.parse(argv[1:]))
    if argv[:1] == ["compare"]:
        return partial(_compare, compare_arguments.parse(argv[1:]))
    return partial(_single, run_arguments.parse(argv))


def _single(wanted: Start | Resume, console: Console) -> None:
    with console.status("loading TensorFlow"):
        from tracking.run_session import SEED_SEPARATOR, RunInfo
        from train.data import caveats
        from train.reading import reader
        from train.training import trainer
        from train.training.progress_bar import ProgressBar

    display = ProgressBar(console)
    try:
        if isinstance(wanted, Resume):
            outcome = trainer.resume(wanted.run_id, wanted.checkpoints, display)
        else:
            with console.status("reading the data"):
                dataset = reader.read(wanted.options)
                warnings = caveats.find(dataset)
            for warning in warnings:
                console.print(warning, highlight=False)
            info = RunInfo(f"{wanted.preset}{SEED_SEPARATOR}{wanted.options.seed}")
            outcome = trainer.begin(wanted.options, wanted.preset, dataset, display, info)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("the run is marked KILLED; continue it with --resume") from None
    console.print(outcome.table())
    print(outcome.run_id)


def _sweep(wanted: SweepOptions, console: Console) -> None:
    with console.status("loading TensorFlow"):
        from train.sweep.sweep import sweep

    try:
        print(sweep(wanted, console))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"continue with --study {wanted.study}") from None


def _compare(wanted: CompareOptions, console: Console) -> None:
    with console.status("loading MLflow"):
        from train.compare.comparison import compare

    compare(wanted, console)


def _baseline(options: Options, console: Console) -> None:
    with console.status("loading scikit-learn"):
        from tracking import metrics
        from train.baseline import trees

    with console.status("training trees"):
        run_id, found = trees.run(options)
    for name, value in metrics.described(found):
        console.print(f"{name} {value}", highlight=False)
    print(run_id)


if __name__ == "__main__":
    sys.exit(main())
