"""Models that tests swap under a running server; ``python -m tests.models.swapped FOLDER``.

- ``plus``: x float32 (N, 2) -> y = x + 12345, whose bytes tests replace by other numbers;
- ``large``: n int64 (N,) -> y float32 (N,), the entry ``n`` of a table of 16 MiB.
"""

import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tests.models.other import save
from tests.models.plus import NUMBER

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    pair = (TensorProto.FLOAT, ["batch", 2])
    number = np.array([NUMBER], "<f4").tobytes()
    save(
        folder,
        "plus",
        [helper.make_node("Add", ["x", "number"], ["y"])],
        [("x", *pair)],
        [("y", *pair)],
        [helper.make_tensor("number", TensorProto.FLOAT, [1], number, raw=True)],
    )
    save(
        folder,
        "large",
        [helper.make_node("Gather", ["table", "n"], ["y"])],
        [("n", TensorProto.INT64, ["batch"])],
        [("y", TensorProto.FLOAT, ["batch"])],
        [numpy_helper.from_array(np.arange(4 * 2**20, dtype=np.float32), "table")],
    )
