"""The other dialects beside our own, on one server, with the same digits."""

from pathlib import Path

from benchmarks import prepare, rounds, servers
from benchmarks.rounds import Shape, Target
from benchmarks.servers import Server
from benchmarks.verdict import Line, at_least, at_most

SHAPES = (Shape(256, 4), Shape(1, 16))
CPU_AT_MOST = 1.1  # of /predict's
BINARY_AT_LEAST = 3.0  # times /predict's rows a second, at 256 rows
NAMES = {
    "predict": "predict",
    "OIP": "oip",
    "TF Serving": "tfserving",
    "MLflow": "mlflow",
    "OIP, bytes": "oip-bytes",
}


def compare(models: Path, count: int, seconds: float) -> list[Line]:
    """CPU per row of each dialect's JSON, and how much faster bytes are."""
    lines = []
    with servers.ours(models) as server:
        for shape in SHAPES:
            targets = _targets(server, shape.rows)
            measured = rounds.alternate(list(targets.values()), shape, count, seconds, lambda: None)
            own, *others = measured
            for name, other in zip(list(targets)[1:], others, strict=True):
                cpu = rounds.ratio(other, own, lambda one: one.cpu_per_row)
                what = f"CPU per row / predict's, {name}, {shape}"
                if name.endswith("bytes"):
                    rate = rounds.ratio(other, own, lambda one: one.rows_per_second)
                    faster = f"rows/s / predict's, {name}, {shape}"
                    lines.append(Line(what, cpu, "", None))
                    if shape.rows > 1:
                        lines.append(at_least(faster, rate, BINARY_AT_LEAST))
                    else:
                        lines.append(Line(faster, rate, "", None))
                else:
                    lines.append(at_most(what, cpu, CPU_AT_MOST))
    return lines


def _targets(server: Server, rows: int) -> dict[str, Target]:
    return {
        name: Target(server, prepare.requests([rows], dialect)[rows])
        for name, dialect in NAMES.items()
    }
