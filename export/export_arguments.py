"""The command line of ``python -m export``."""

import argparse
from collections.abc import Callable
from pathlib import Path

from bundle.labels import MAX_WEIGHT
from cli import number_types
from export.variant import INPUTS, INT8, WEIGHTS, Variant

DEFAULT_METRIC = "val_accuracy"
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
        const=DEFAULT_METRIC,
        metavar="METRIC",
        help="export the finished run of the experiment with the best value of this metric: the"
        f" largest, or for losses, times and sizes the smallest (METRIC default: {DEFAULT_METRIC})",
    )
    parser.add_argument(
        "--experiment",
        default="mnist",
        metavar="NAME",
        help="MLflow experiment for --best (default: %(default)s)",
    )
    parser.add_argument(
        "--name",
        default="mnist",
        help="name of the published model, also in MLflow's registry (default: %(default)s)",
    )
    _models(parser)
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
        " percentage points (default: %(default)s)",
    )


def _import(parser: Parser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the ONNX model")
    parser.add_argument("--name", required=True, help="name of the published model")
    parser.add_argument(
        "--class-names",
        type=Path,
        metavar="FILE",
        help="file with the name of each class, one per line (default: none)",
    )
    _models(parser)


def _verify(parser: Parser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="such as models/mnist/3")
    _public_key(parser)


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
    _public_key(parser)
    _models(parser)


def _promote(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the model")
    parser.add_argument("version", type=int, metavar="VERSION", help="its version, a number")
    _alias(parser)
    parser.add_argument(
        "--margin",
        type=number_types.not_negative,
        default=0.1,
        metavar="POINTS",
        help="how much lower its test accuracy may be than that of the best version that has or had"
        " the alias, in percentage points (default: %(default)s)",
    )
    parser.add_argument(
        "--min-accuracy",
        type=number_types.not_negative,
        metavar="PERCENT",
        help="lowest test accuracy (default: that of guessing, 100 divided by the classes)",
    )
    parser.add_argument(
        "--p99",
        type=number_types.positive,
        metavar="MS",
        help="highest p99 latency in its load test; a version without a load test fails"
        " (default: no limit)",
    )
    parser.add_argument(
        "--agreement",
        type=number_types.not_negative,
        metavar="PERCENT",
        help="lowest agreement with the champion, as its shadow on the server at --metrics"
        " (default: no limit)",
    )
    parser.add_argument(
        "--metrics",
        default="http://127.0.0.1:8080/metrics",
        metavar="URL",
        help="metrics of the server that has compared them (default: %(default)s)",
    )
    _public_key(parser)
    parser.add_argument(
        "--force",
        action="store_true",
        help="promote it although conditions are not met, and record which",
    )
    _models(parser)


def _traffic(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the model")
    parser.add_argument(
        "weights",
        nargs="*",
        type=_weight,
        metavar="LABEL=WEIGHT",
        help="the share of a label, such as champion=95 challenger=5; without any, the newest"
        " version gets all requests that name no version",
    )
    parser.add_argument(
        "--shadow",
        metavar="LABEL",
        help="its version also computes what the others have answered, in spare time; metrics count"
        " how often they agree (default: none)",
    )
    _models(parser)


def _weight(text: str) -> tuple[str, int]:
    label, _, weight = text.partition("=")
    if not (weight.isascii() and weight.isdecimal() and int(weight) <= MAX_WEIGHT):
        raise argparse.ArgumentTypeError(
            f"expected LABEL=WEIGHT with a whole number up to {MAX_WEIGHT}, got {text!r}"
        )
    return label, int(weight)


def _rollback(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the model")
    _alias(parser)
    _public_key(parser)
    _models(parser)


def _list(parser: Parser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="the model (default: all)")
    _models(parser)
    parser.add_argument(
        "--markdown",
        type=Path,
        metavar="FILE",
        help="also write the table into this file, between <!-- versions --> and"
        " <!-- /versions -->",
    )


def _alias(parser: Parser) -> None:
    parser.add_argument(
        "--alias", default="champion", metavar="NAME", help="(default: %(default)s)"
    )


def _public_key(parser: Parser) -> None:
    parser.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="public key (PEM, elliptic curve); the version must be signed with the private key",
    )


def _models(parser: Parser) -> None:
    parser.add_argument(
        "--models",
        type=Path,
        default=Path("models"),
        metavar="DIR",
        help="the model repository (default: %(default)s)",
    )


COMMANDS: dict[str, tuple[Callable[[Parser], None], str]] = {
    "import": (_import, "publish an ONNX model from another source"),
    "list": (_list, "list the published versions with their run, accuracy, size and speed"),
    "verify": (_verify, "verify a published version: its files, its outputs, and its Keras model"),
    "sign": (_sign, "sign a published version"),
    "pull": (_pull, "copy a version from an object store, and check it"),
    "promote": (_promote, "assign an alias to a version that meets the conditions"),
    "traffic": (_traffic, "share requests between labels, and compare a shadow version"),
    "rollback": (_rollback, "assign an alias to the version that had it before"),
}
"""For each command: the function that adds its options, and its description."""
