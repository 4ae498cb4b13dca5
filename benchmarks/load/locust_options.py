"""Our options beside Locust's own."""

from locust.argument_parser import LocustArgumentParser

from benchmarks.load.prepared_request import MIXED, SIZES
from benchmarks.load.protocols import PROTOCOLS
from cli import number_types


def add(parser: LocustArgumentParser) -> None:
    """Add them; Locust passes them on to its workers."""
    group = parser.add_argument_group("onnxlet", "what is sent, and what is recorded of it")
    group.add_argument(
        "--model", default="mnist", help="name of the served model (default: %(default)s)"
    )
    group.add_argument(
        "--models",
        default="models",  # a string, because Locust passes it on to workers
        metavar="DIR",
        help="model repository with the served version; its golden inputs are sent (default:"
        " %(default)s)",
    )
    group.add_argument(
        "--protocol",
        choices=list(PROTOCOLS),
        default="predict",
        help="of Mixed and Open (default: %(default)s)",
    )
    group.add_argument(
        "--rows",
        choices=[MIXED, *map(str, SIZES)],
        default=MIXED,
        help="rows of each request of Open (default: %(default)s)",
    )
    group.add_argument(
        "--rate",
        type=number_types.positive,
        default=100.0,
        help="requests per second of each Open user, at random times (default: %(default)s)",
    )
    group.add_argument(
        "--warm-up",
        type=number_types.not_negative,
        default=2.0,
        metavar="SECONDS",
        help="time at the beginning that is not measured (default: %(default)s)",
    )
    group.add_argument(
        "--measure",
        type=number_types.not_negative,
        default=0.0,
        metavar="SECONDS",
        help="end the test so long after the warm-up, and Locust too if it shows no pages; 0 means"
        " until it is stopped or --run-time is over (default: %(default)s)",
    )
    group.add_argument(
        "--record",
        metavar="FILE",
        default="",
        help="write counts and histograms of microseconds to this file, as JSON",
    )
