"""Models of tables; ``python -m tests.models.tables FOLDER`` makes them.

- ``people``: features float32 (N, 3), of ``PEOPLE`` -> probabilities float32 (N, 2);
- ``prices``: features float32 (N, 4), of ``PRICES`` -> value float32 (N, 1), a sum in which a
  missing value counts as ``MISSING``;
- ``numbered``, ``named``: as skl2onnx writes classifiers of three classes, whose label is int64 or
  string: x float32 (N, 3) -> label (N,) and probabilities float32 (N, 3) = x;
- ``fitted``: as skl2onnx writes regressors: x float32 (N, 3) -> variable float32 (N, 1), the sum;
- ``zipmap``: probabilities as a sequence of maps, which is not served.

The last four have no manifest.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from bundle import writer
from bundle.features import Feature
from bundle.golden import Golden
from bundle.manifest import Manifest, TensorSpec
from tests.models.people import (
    CLASSES,
    LABELS,
    MISSING,
    PEOPLE,
    PEOPLE_ROWS,
    PRICES,
    PRICES_ROWS,
    WEIGHTS,
    probabilities,
    values,
)

FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING


def graph(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    **constants: NDArray[np.generic],
) -> bytes:
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    made = helper.make_graph(nodes, "table", inputs, outputs, tensors)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def tensor(name: str, columns: int | None, kind: int = FLOAT) -> onnx.ValueInfoProto:
    shape: list[str | int] = ["batch"] if columns is None else ["batch", columns]
    return helper.make_tensor_value_info(name, kind, shape)


def publish(
    folder: Path,
    name: str,
    features: tuple[Feature, ...],
    rows: NDArray[np.float32],
    output: TensorSpec,
    expected: NDArray[np.float32],
    last: Sequence[onnx.NodeProto],
    **constants: NDArray[np.generic],
) -> None:
    nodes = [
        helper.make_node("IsNaN", ["features"], ["missing"]),
        helper.make_node("Where", ["missing", "instead", "features"], ["whole"]),
        *last,
    ]
    model = graph(
        nodes,
        [tensor("features", len(features))],
        [tensor(output.name, output.shape[1])],
        instead=np.array([MISSING], np.float32),
        **constants,
    )
    manifest = Manifest(
        name=name,
        version=1,
        created="2026-01-01T00:00:00Z",
        files={},
        inputs=(TensorSpec(name="features", dtype="float32", shape=(-1, len(features))),),
        outputs=(output,),
        labels=LABELS if output.shape[1] > 1 else (),
        task="classification" if output.shape[1] > 1 else "regression",
        features=features,
    )
    golden = Golden({"features": rows}, {output.name: expected})
    writer.publish(folder, manifest, {"model.onnx": model, "golden.npz": golden.to_npz()})


def save(folder: Path, name: str, model: bytes) -> None:
    path = folder / name / "1/model.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(model)


def save_classifiers(folder: Path) -> None:
    """Write graphs with the outputs of skl2onnx."""
    node = helper.make_node
    largest = node("ArgMax", ["x"], ["largest"], axis=1, keepdims=0)
    same = node("Identity", ["x"], ["probabilities"])
    x, scores = tensor("x", 3), tensor("probabilities", 3)
    seven = np.array([7], np.int64)  # labels are whatever the targets were, not indices
    add = node("Add", ["largest", "seven"], ["label"])
    outputs = [tensor("label", None, INT64), scores]
    save(folder, "numbered", graph([largest, add, same], [x], outputs, seven=seven))
    names = node(
        "LabelEncoder", ["largest"], ["label"], domain="ai.onnx.ml",
        keys_int64s=[0, 1, 2], values_strings=CLASSES,
    )  # fmt: skip
    texts = [tensor("label", None, STRING), scores]
    save(folder, "named", graph([largest, names, same], [x], texts))
    maps = node(
        "ZipMap", ["x"], ["probabilities"], domain="ai.onnx.ml", classlabels_strings=CLASSES
    )
    kind = helper.make_map_type_proto(STRING, helper.make_tensor_type_proto(FLOAT, []))
    sequence = helper.make_value_info("probabilities", helper.make_sequence_type_proto(kind))
    save(folder, "zipmap", graph([largest, names, maps], [x], [texts[0], sequence]))


def main(folder: Path) -> None:
    node = helper.make_node
    last = [
        node("MatMul", ["whole", "weights"], ["scores"]),
        node("Softmax", ["scores"], ["probabilities"], axis=1),
    ]
    output = TensorSpec(name="probabilities", dtype="float32", shape=(-1, 2))
    expected = probabilities(PEOPLE_ROWS)
    publish(folder, "people", PEOPLE, PEOPLE_ROWS, output, expected, last, weights=WEIGHTS)
    axes = np.array([1], np.int64)
    total = node("ReduceSum", ["whole", "axes"], ["value"])
    output = TensorSpec(name="value", dtype="float32", shape=(-1, 1))
    publish(folder, "prices", PRICES, PRICES_ROWS, output, values(PRICES_ROWS), [total], axes=axes)
    save_classifiers(folder)
    fitted = node("ReduceSum", ["x", "axes"], ["variable"])
    save(folder, "fitted", graph([fitted], [tensor("x", 3)], [tensor("variable", 1)], axes=axes))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
