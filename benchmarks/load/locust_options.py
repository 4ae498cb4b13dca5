"""Our options beside Locust's own."""

from locust.argument_parser import LocustArgumentParser

from benchmarks.load.prepared_request import MIXED, SIZES
from benchmarks.load.protocols import DIALECTS
from cli import number_types


def add(parser: LocustArgumentParser) -> None:
    """Add them; Locust hands them on to its workers."""
    group = parser.add_argument_group("onnxlet", "what is sent, and what is kept of it")
    group.add_argument(
        "--model", default="mnist", help="the served model's name (default: %(default)s)"
    )
    group.add_argument(
        "--data",
        default="data",  # a text, for Locust hands it on to workers
        metavar="FOLDER_OR_NPZ",
        help="data set that the digits come from; a folder without one is where MNIST is kept"
        " (default: %(default)s)",
    )
    group.add_argument(
        "--dialect",
        choices=list(DIALECTS),
        default="predict",
        help="of Mixed and Open (default: %(default)s)",
    )
    group.add_argument(
        "--rows",
        choices=[MIXED, *map(str, SIZES)],
        default=MIXED,
        help="of each request of Open (default: %(default)s)",
    )
    group.add_argument(
        "--rate",
        type=number_types.positive,
        default=100.0,
        help="requests a second of each Open user, at random times (default: %(default)s)",
    )
    group.add_argument(
        "--warm-up",
        type=number_types.not_negative,
        default=2.0,
        metavar="SECONDS",
        help="at the beginning, which percentiles leave out (default: %(default)s)",
    )
    group.add_argument(
        "--measure",
        type=number_types.not_negative,
        default=0.0,
        metavar="SECONDS",
        help="after which the test ends, and without its pages Locust, counted from the end of the"
        " warm-up; 0 for until it is stopped, or --run-time is over (default: %(default)s)",
    )
    group.add_argument(
        "--record",
        metavar="FILE",
        default="",
        help="write counts and histograms of microseconds there, as JSON",
    )
