"""One server under every shape of load, from its start to its end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from benchmarks.errors import BenchmarkError
from benchmarks.load import rounds
from benchmarks.load.prepared_request import Letter
from benchmarks.load.rounds import Measurement, Shape, Target
from benchmarks.system.servers import Server

SHAPES = (Shape(1, 1), Shape(1, 16), Shape(32, 4), Shape(256, 4))
_ANSWER_SECONDS = 60


@dataclass(frozen=True)
class Trial:
    """What one start of a server gave."""

    measured: Mapping[Shape, Measurement]
    seconds_to_ready: float
    memory: float
    """MiB (PSS) of its process tree after the loads."""


def run(
    server: Server,
    letters: Mapping[int, Letter],
    seconds: float,
    step: Callable[[object], None],
    shapes: Sequence[Shape] = SHAPES,
) -> Trial:
    """Start it, check its answers, and load it.

    Args:
        server: not started as yet.
        letters: what it is asked, by rows.
        seconds: of each load.
        step: told of each load before it begins.
        shapes: of the loads.

    Raises:
        BenchmarkError: it does not start, an answer is wrong, or a request failed.

    """
    with server:
        for letter in letters.values():
            check(server, letter)
        measured = {}
        for shape in shapes:
            step(f"{server.name}, {shape}")
            target = Target(server, letters[shape.rows].request)
            rounds.warm_up(target, shape)
            measured[shape] = rounds.measure(target, shape, seconds)
        return Trial(measured, server.seconds_to_ready, server.memory())


def check(server: Server, letter: Letter) -> None:
    """Ask once.

    Raises:
        BenchmarkError: the answer is not the right one.

    """
    wanted = letter.request
    asked = HttpRequest(server.base + wanted.path, wanted.body, dict(wanted.headers))  # noqa: S310
    try:
        with urlopen(asked, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310
            fault = letter.fault(answer.read())
    except OSError as error:
        fault = str(error)
    if fault:
        raise BenchmarkError(f"{server.name}, {letter.rows} rows: {fault}")
