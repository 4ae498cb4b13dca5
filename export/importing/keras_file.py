"""Models that Keras has saved."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from export import child_process
from export.errors import ExportError
from export.graph.convert import convert as convert_keras
from export.importing.converted import Converted, refuse_mismatch
from export.importing.rows import Rows
from export.proof import edge_inputs, parity


def convert(file: Path, rows: Rows) -> Converted:
    """Convert a ``.keras`` file, and compare both models on the rows and on edge inputs.

    Raises:
        ExportError: it can't be converted, or ONNX gives other results.

    """
    with tempfile.TemporaryDirectory() as folder, child_process.keras_worker() as prove:
        onnx_file = Path(folder) / "model.onnx"
        softmax, predictions = prove(_predict, file, rows.x)
        tools = child_process.fresh_keras(convert_keras, file, onnx_file)
        spread = None if softmax else float(predictions.std())
        found = prove(parity.compare, file, onnx_file, rows.x, _edges(rows), spread)
        refuse_mismatch(found, parity.MAX_ABS_DIFFERENCE)
        task = "classification" if softmax else None
        return Converted(onnx.load(onnx_file), task, parity=found, tools=tools)


def _predict(file: Path, x: NDArray[np.float32]) -> tuple[bool, NDArray[np.float32]]:
    """Whether the model ends in a softmax, and its predictions."""
    import keras

    from export.proof import logits

    try:
        model = keras.models.load_model(file, compile=False, safe_mode=True)
    except (ValueError, OSError, TypeError) as error:
        raise ExportError(f"{file}: not a Keras model: {str(error).splitlines()[0]}") from None
    shapes = [tuple(one.shape[1:]) for one in model.inputs]
    if len(shapes) != 1 or len(model.outputs) != 1:
        raise ExportError(f"{file}: expected a model with one input and one output")
    if shapes[0] != x.shape[1:]:
        raise ExportError(
            f"{file}: the model takes rows of shape {list(shapes[0])}, and those supplied have the"
            f" shape {list(x.shape[1:])}"
        )
    predictions, *scores = logits.keras_outputs(model, x)
    return bool(scores), predictions


def _edges(rows: Rows) -> NDArray[np.float32]:
    if rows.features:
        return edge_inputs.rows(edge_inputs.of_table(rows.features))
    shape = rows.x.shape[1:]
    span = (float(np.nanmin(rows.x)), float(np.nanmax(rows.x)))
    columns = edge_inputs.of_range(int(np.prod(shape)), span)
    return edge_inputs.rows(columns).reshape(-1, *shape)
