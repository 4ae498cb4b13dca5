"""``python -m export``: publish the model of an MLflow run; ``--help`` explains every option."""

import argparse
import sys
from pathlib import Path

from export.errors import ExportError
from train import interrupt

DEFAULT_METRIC = "val_accuracy"


def main() -> int:
    """Run the command line; returns the exit status."""
    arguments = _parser().parse_args()
    interrupt.on_every_signal()
    try:
        from rich.console import Console

        from export import pipeline, source  # after the options: MLflow takes seconds to import

        console = Console(stderr=True)
        source.connect()
        run_id = getattr(arguments, "run", None) or source.best_run(
            arguments.experiment, arguments.best
        )
        published = pipeline.export(run_id, arguments.name, arguments.models, console)
    except ExportError as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("export: interrupted", file=sys.stderr)
        return 130
    console.print(published.table())
    print(published.folder)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m export",
        allow_abbrev=False,
        description="Convert the Keras model of an MLflow run to ONNX, prove that it answers the"
        " same, and publish it as the next version in a model repository.",
        epilog="The last line printed is the published folder. Serve it: python -m serve",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--run", metavar="RUN_ID", default=argparse.SUPPRESS, help="the run to export"
    )
    which.add_argument(
        "--best",
        nargs="?",
        const=DEFAULT_METRIC,
        metavar="METRIC",
        default=argparse.SUPPRESS,
        help="the finished run of the experiment that is best by this metric: the largest, or"
        f" the smallest of a loss (METRIC default: {DEFAULT_METRIC})",
    )
    parser.add_argument("--experiment", default="mnist", help="where --best looks")
    parser.add_argument("--name", default="mnist", help="name of the published model")
    parser.add_argument(
        "--models", type=Path, default=Path("models"), metavar="DIR", help="the model repository"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
