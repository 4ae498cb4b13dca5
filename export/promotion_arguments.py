"""The commands that change which version is served."""

import argparse

from bundle.labels import MAX_WEIGHT
from cli import number_types
from export import repository_arguments


def promote(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``promote``."""
    parser.add_argument("name", metavar="NAME", help="the model")
    parser.add_argument("version", type=int, metavar="VERSION", help="its version, a number")
    repository_arguments.alias(parser)
    parser.add_argument(
        "--margin",
        type=number_types.not_negative,
        default=0.1,
        metavar="POINTS",
        help="how much lower its test accuracy may be than that of the best version that has or had"
        " the alias, in percentage points, or how much higher its test RMSE, in percent"
        " (default: %(default)s)",
    )
    parser.add_argument(
        "--min-accuracy",
        type=number_types.not_negative,
        metavar="PERCENT",
        help="lowest test accuracy (default: that of guessing, 100 divided by the classes)",
    )
    parser.add_argument(
        "--max-rmse",
        type=number_types.not_negative,
        metavar="VALUE",
        help="highest test RMSE of a regression (default: that of the targets' mean)",
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
    repository_arguments.public_key(parser)
    parser.add_argument(
        "--force",
        action="store_true",
        help="promote it although conditions are not met, and record which",
    )
    repository_arguments.models(parser)


def rollback(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``rollback``."""
    parser.add_argument("name", metavar="NAME", help="the model")
    repository_arguments.alias(parser)
    repository_arguments.public_key(parser)
    repository_arguments.models(parser)


def traffic(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``traffic``."""
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
    repository_arguments.models(parser)


def _weight(text: str) -> tuple[str, int]:
    label, _, weight = text.partition("=")
    if not (weight.isascii() and weight.isdecimal() and int(weight) <= MAX_WEIGHT):
        raise argparse.ArgumentTypeError(
            f"expected LABEL=WEIGHT with a whole number up to {MAX_WEIGHT}, got {text!r}"
        )
    return label, int(weight)
