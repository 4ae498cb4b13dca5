"""A manifest, golden answers and files that the tests of bundle/ publish."""

import numpy as np

from bundle.golden import Golden
from bundle.manifest import Dataset, Manifest, TensorSpec
from bundle.measurements import Difference, Parity, Quantization

GOLDEN = Golden({"x": np.eye(3, dtype=np.float32)}, {"y": np.full((3, 2), 0.5, dtype=np.float32)})


MANIFEST = Manifest(
    name="m",
    version=3,
    created="2026-01-01T00:00:00+00:00",
    files={"model.onnx": "0" * 64},
    inputs=(TensorSpec(name="x", dtype="float32", shape=(-1, 4), range=(0.0, 1.0)),),
    outputs=(TensorSpec(name="y", dtype="float32", shape=(-1, 2)),),
    labels=("a", "b"),
    run_id="r",
    dataset=Dataset(name="d", sha256="1" * 64),
    metrics={"test_accuracy": 0.5},
    parity=Parity(
        rows=10,
        max_abs_difference=1e-7,
        top1_agreement=1.0,
        parts={"edges": Difference(rows=4, max_abs_difference=1e-8, top1_agreement=1.0)},
    ),
    quantization=Quantization(
        method="int8 static", accuracy_loss=0.001, bytes_before=9, us_per_row_before={"1": 2.5}
    ),
    opset=17,
)


FILES = {"model.onnx": b"a model", "golden.npz": GOLDEN.to_npz()}
