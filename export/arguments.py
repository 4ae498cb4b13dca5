"""The command line of export."""

import argparse
from dataclasses import dataclass
from pathlib import Path

DEFAULT_METRIC = "val_accuracy"
_PROMOTE = "promote"
_MODELS = Path("models")


@dataclass(frozen=True)
class Export:
    """Publishing the model of a run."""

    run: str | None
    best: str | None
    """The metric by which the run is chosen, where none is named."""
    experiment: str
    name: str
    models: Path


@dataclass(frozen=True)
class Promote:
    """Giving an alias to a version."""

    name: str
    version: int
    alias: str
    models: Path


def parse(argv: list[str]) -> Export | Promote:
    """Read the command line; ends the process with status 2 where it is wrong."""
    if argv[:1] == [_PROMOTE]:
        return Promote(**vars(_promote_parser().parse_args(argv[1:])))
    return Export(**vars(_parser().parse_args(argv)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m export",
        usage="%(prog)s (--run RUN_ID | --best [METRIC]) [options] | promote NAME VERSION …",
        allow_abbrev=False,
        description="Convert the Keras model of an MLflow run to ONNX, prove that it answers the"
        " same, publish it as the next version in a model repository, and register it in MLflow.",
        epilog="The last line printed is the published folder. Serve it: python -m serve. Name"
        " the version that is to be used: python -m export promote --help.",
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--run", metavar="RUN_ID", help="the run to export")
    which.add_argument(
        "--best",
        nargs="?",
        const=DEFAULT_METRIC,
        metavar="METRIC",
        help="the finished run of the experiment that is best by this metric: the largest, or"
        f" the smallest of a loss, of times and sizes (METRIC default: {DEFAULT_METRIC})",
    )
    parser.add_argument(
        "--experiment",
        default="mnist",
        metavar="NAME",
        help="where --best looks (default: %(default)s)",
    )
    parser.add_argument(
        "--name",
        default="mnist",
        help="of the published model, and in MLflow's registry (default: %(default)s)",
    )
    _add_models(parser)
    return parser


def _promote_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m export {_PROMOTE}",
        allow_abbrev=False,
        description="Give an alias to a published version: in MLflow's registry, and as a label in"
        " the model repository, by which a running server finds it.",
    )
    parser.add_argument("name", metavar="NAME", help="the model")
    parser.add_argument("version", type=int, metavar="VERSION", help="its version, a number")
    parser.add_argument(
        "--alias", default="champion", metavar="NAME", help="to give (default: %(default)s)"
    )
    _add_models(parser)
    return parser


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--models",
        type=Path,
        default=_MODELS,
        metavar="DIR",
        help="the model repository (default: %(default)s)",
    )
