"""What a row of JSON numbers costs to parse, by how they are written: by simdjson and the kernel.

``.venv-serve/bin/python -m tests.number_kernel.number_formats [DATA.npz]`` measures in process.
Pixels are those of test digits in ``data/mnist.npz``, other values are random.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from benchmarks.profile import step_costs
from bundle.manifest import TensorSpec
from serve.models import malloc
from serve.models.spec import ModelSpec
from serve.protocols import predict
from serve.protocols.number_kernel import extract, library

ROWS = (1, 32, 256)
_TABLE_COLUMNS = 30
_LARGEST = 3e38
_SCORES = TensorSpec(name="scores", dtype="float32", shape=(-1, 10))

Rows = NDArray[Any]


def _text(rows: Rows, form: Callable[[float], str] = str, comma: str = ",") -> bytes:
    """``{"images": [[…], …]}``, with each value in this form."""
    texts = (f"[{comma.join(map(form, row))}]" for row in rows.tolist())
    return f'{{"images":[{comma.join(texts)}]}}'.encode()


def _notations(pixels: Rows, rows: int) -> Iterable[tuple[str, str, bytes]]:
    """Name, dtype of the model's input, and the body."""
    some = pixels[:rows]
    random = np.random.default_rng(18).normal(size=(rows, some.shape[1])) * 100
    table = random[:, :_TABLE_COLUMNS]
    yield "pixels", "float32", _text(some)
    yield "pixels, with a space after each comma", "float32", _text(some, comma=", ")
    yield "pixels, for a model that takes bytes", "uint8", _text(some)
    yield "pixels from 0 to 1, three places", "float32", _text((some / 255).round(3))
    yield "random, two places", "float32", _text(random, "{:.2f}".format)
    yield "random, as Python writes a float32", "float32", _text(random.astype("f4"), _shortest)
    yield "random, as Python writes a float64", "float32", _text(random)
    yield "random, exponents and seven digits", "float32", _text(random, "{:.6e}".format)
    yield (
        f"a table of {_TABLE_COLUMNS} columns, two places",
        "float32",
        _text(table, "{:.2f}".format),
    )


def _shortest(value: float) -> str:
    return str(np.float32(value))


def _measure(body: bytes, dtype: str, rows: int) -> tuple[float, float]:
    """Microseconds of CPU time a row: by simdjson, and with the kernel."""
    width = body.split(b"]")[0].count(b",") + 1
    bounds = (0.0, 255.0) if dtype == "uint8" else (-_LARGEST, _LARGEST)
    spec = TensorSpec(name="image", dtype=dtype, shape=(-1, width), range=bounds)
    signature = ModelSpec("m", 1, (spec,), (_SCORES,))

    def parse() -> None:
        predict.parse(body, {}, signature, rows)

    with mock.patch.object(extract, "compiled", step_costs.no_kernel):
        by_simdjson = step_costs.cost(parse) / rows
    return by_simdjson, step_costs.cost(parse) / rows


def measure(pixels: Rows) -> Mapping[str, list[tuple[float, float]]]:
    """Both costs of each notation, for each number of rows."""
    found: dict[str, list[tuple[float, float]]] = {}
    for rows in ROWS:
        for name, dtype, body in _notations(pixels, rows):
            found.setdefault(name, []).append(_measure(body, dtype, rows))
    return found


def main() -> None:
    """Print the table, in Markdown."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    malloc.tune()
    with np.load(sys.argv[1] if sys.argv[1:] else "data/mnist.npz") as data:
        pixels = data["x_test"].reshape(len(data["x_test"]), -1).astype(np.uint8)
    found = measure(pixels)
    print("| numbers | " + " | ".join(f"{rows} a request" for rows in ROWS) + " |")
    print("|---" * (1 + len(ROWS)) + "|")
    for name, costs in found.items():
        cells = " | ".join(f"{before:.1f} → {after:.1f}" for before, after in costs)
        print(f"| {name} | {cells} |")
    print(f"\nnumber kernel: {library.load()}; Python {platform.python_version()}")


if __name__ == "__main__":
    main()
