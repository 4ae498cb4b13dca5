"""The other dialects beside our own, on one server, with the same digits."""

import json
from pathlib import Path

from benchmarks import prepare, rounds, servers
from benchmarks.rounds import Shape, Target
from benchmarks.servers import Server
from benchmarks.verdict import Line, at_least, at_most
from train import mnist

SHAPES = (Shape(256, 4), Shape(1, 16))
CPU_AT_MOST = 1.1  # of /predict's
BINARY_AT_LEAST = 3.0  # times /predict's rows a second, at 256 rows
OIP = "/v2/models/mnist/infer"


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
    digits = mnist.load(prepare.ROOT / "data").x_test[:rows].astype("u1")
    values = digits.tolist()
    tensor = {"name": "image", "shape": [rows, 784], "datatype": "FP32", "data": values}
    body, head = _binary(digits.tobytes(), rows)
    return {
        "predict": Target(server, _json({"images": values})),
        "OIP": Target(server, _json({"inputs": [tensor]}), OIP),
        "TF Serving": Target(server, _json({"instances": values}), "/v1/models/mnist:predict"),
        "MLflow": Target(server, _json({"inputs": values}), "/invocations"),
        "OIP, bytes": Target(server, body, OIP, {"Inference-Header-Content-Length": str(head)}),
    }


def _binary(data: bytes, rows: int) -> tuple[bytes, int]:
    """Body of a request with UINT8 bytes that wants bytes back, and the length of its head."""
    tensor = {
        "name": "image",
        "shape": [rows, 784],
        "datatype": "UINT8",
        "parameters": {"binary_data_size": len(data)},
    }
    head = _json({"inputs": [tensor], "parameters": {"binary_data_output": True}})
    return head + data, len(head)


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
