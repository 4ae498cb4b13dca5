"""The command line of ``python -m export``."""

import argparse
from collections.abc import Callable
from pathlib import Path

from cli import number_types
from export import feature_limits, promotion_arguments, repository_arguments
from export.variant import INPUTS, INT8, WEIGHTS, Variant
from tracking import metrics

Parser = argparse.ArgumentParser


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the command line; ends the process with status 2 where it is wrong.

    The result's ``command`` is the first word where that is one of ``COMMANDS``, else empty.
    """
    command = argv[0] if argv[:1] and argv[0] in COMMANDS else ""
    fill, description = COMMANDS[command] if command else (_export, _EXPORT_DESCRIPTION)
    parser = Parser(
        prog=f"python -m export {command}".strip(),
        allow_abbrev=False,
        description=description,
        formatter_class=argparse.HelpFormatter if command else argparse.RawDescriptionHelpFormatter,
    )
    fill(parser)
    return parser.parse_args(argv[1:] if command else argv, argparse.Namespace(command=command))


_EXPORT_DESCRIPTION = """\
Convert the Keras model of an MLflow run to ONNX, check that both give the same results, publish it
as the next version in a model repository, and register it in MLflow.
"""


def _export(parser: Parser) -> None:
    parser.usage = "%(prog)s (--run RUN_ID | --best [METRIC]) [options], or COMMAND …"
    parser.epilog = (
        "The last line of output is the published folder. To serve it: python -m serve\n\n"
    )
    parser.epilog += "Commands, each with its own --help:\n"
    parser.epilog += "\n".join(f"  {name:<9} {text}" for name, (_, text) in COMMANDS.items())
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--run", type=_run_id, metavar="RUN_ID", help="the run to export")
    which.add_argument(
        "--best",
        nargs="?",
        const="",
        type=metrics.for_choosing,
        metavar="METRIC",
        help="export the finished run of the experiment with the best value of this metric: the"
        " largest, or for losses, errors, times and sizes the smallest (METRIC default:"
        " val_accuracy, for regression val_rmse); all runs must have the same data and task",
    )
    parser.add_argument(
        "--experiment",
        metavar="NAME",
        help="MLflow experiment for --best (default: the one called like the model, or else the"
        " only one)",
    )
    parser.add_argument(
        "--name",
        help="name of the published model, also in MLflow's registry (default: that of the data"
        " set)",
    )
    repository_arguments.models(parser)
    parser.add_argument(
        "--limits",
        nargs="+",
        type=feature_limits.parse,
        default=[],
        metavar="FEATURE=LOW:HIGH",
        help="values of features that the server accepts, for tables; either number may be left"
        " out (default: all)",
    )
    _variant(parser.add_argument_group("form of the model"))


def _run_id(text: str) -> str:
    if not text:  # a shell variable that is not set
        raise argparse.ArgumentTypeError("expected the id of a run, got nothing")
    return text


def _variant(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--input",
        choices=INPUTS,
        default=Variant.input,
        help="dtype of the input; uint8 is one byte per feature, cast in the graph"
        " (default: %(default)s)",
    )
    quantization = group.add_mutually_exclusive_group()
    quantization.add_argument(
        "--quantize",
        choices=INT8,
        help="compute with 8-bit integers: dynamic takes scales from each batch, so that results"
        " depend slightly on the other rows; static takes them from rows of the training set",
    )
    quantization.add_argument(
        "--weights",
        choices=WEIGHTS,
        default=Variant.weights,
        help="how weights are stored; fp16 halves the file and is as fast (default: %(default)s)",
    )
    group.add_argument(
        "--max-drop",
        type=number_types.not_negative,
        default=Variant.max_drop,
        metavar="POINTS",
        help="publish nothing if --quantize or --weights costs more test accuracy than this, in"
        " percentage points, or raises the test RMSE by more than this, in percent"
        " (default: %(default)s)",
    )


def _import(parser: Parser) -> None:
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="the model: ONNX, Keras (.keras), or scikit-learn's or XGBoost's, pickled (.joblib,"
        " .pkl, .pickle). Unpickling a file runs code in it: import only files that you trust, and"
        " prefer ONNX",
    )
    parser.add_argument("--name", required=True, help="name of the published model")
    parser.add_argument(
        "--class-names",
        type=Path,
        metavar="FILE",
        help="file with the name of each class, one per line (default: those of the model, if it"
        " has any)",
    )
    parser.add_argument(
        "--rows",
        type=Path,
        metavar="FILE",
        help="rows of the model's input, for its golden answers: a CSV file with the columns of a"
        " table in its order, which also gives the features of the manifest, or an .npz file with"
        " one array; required for models that are converted, which must predict the same for them"
        " (default: random numbers)",
    )
    repository_arguments.models(parser)


def _verify(parser: Parser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="such as models/mnist/3")
    repository_arguments.public_key(parser)


def _sign(parser: Parser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="such as models/mnist/3")
    parser.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="private key (PEM, elliptic curve)"
    )


def _pull(parser: Parser) -> None:
    parser.add_argument(
        "source", metavar="URL", help="of a model repository, such as s3://bucket/models"
    )
    parser.add_argument("name", metavar="NAME", help="the model")
    parser.add_argument("version", metavar="VERSION", help="its version, a number or a label")
    repository_arguments.public_key(parser)
    repository_arguments.models(parser)


def _list(parser: Parser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="the model (default: all)")
    repository_arguments.models(parser)
    parser.add_argument(
        "--markdown",
        type=Path,
        metavar="FILE",
        help="also write the table into this file, between <!-- versions --> and"
        " <!-- /versions -->",
    )


COMMANDS: dict[str, tuple[Callable[[Parser], None], str]] = {
    "import": (_import, "publish a model from another source"),
    "list": (_list, "list the published versions with their run, test score, size and speed"),
    "verify": (_verify, "verify a published version: its files, its outputs, and its Keras model"),
    "sign": (_sign, "sign a published version"),
    "pull": (_pull, "copy a version from an object store, and check it"),
    "promote": (
        promotion_arguments.promote,
        "assign an alias to a version that meets the conditions",
    ),
    "traffic": (
        promotion_arguments.traffic,
        "share requests between labels, and compare a shadow version",
    ),
    "rollback": (promotion_arguments.rollback, "assign an alias to the version that had it before"),
}
"""For each command: the function that adds its options, and its description."""
