"""Compare the outputs of an ONNX model with those of its Keras model."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.measurements import Difference, Parity
from export.proof import runtime

MAX_ABS_DIFFERENCE = 1e-5
BATCH_SIZES = (1, 2, 3, 7, 64, 1000)
_RANDOM_ROWS = 256
_MAX_SINGLE_FEATURES = 1000
_SEED = 0

Outputs = Sequence[NDArray[np.float32]]
"""Probabilities, and logits if both models have them."""


def edge_inputs(features: int, low: float, high: float) -> NDArray[np.float32]:
    """Make rows that no test set contains, shape (N, features).

    All features at the lowest value, at the highest, and half way between them; each of the first
    1,000 features alone at the highest value; and uniform random rows.
    """
    single = np.full((min(features, _MAX_SINGLE_FEATURES), features), low)
    np.fill_diagonal(single, high)
    levels = np.repeat([[low], [high], [(low + high) / 2]], features, axis=1)
    random = np.random.default_rng(_SEED).uniform(low, high, (_RANDOM_ROWS, features))
    return np.vstack([levels, single, random]).astype(np.float32)


def compare(
    keras_file: Path, onnx_file: Path, x_test: NDArray[np.float32], low: float, high: float
) -> Parity:
    """Run both models on ``x_test`` (N, features) and on edge inputs, and compare the outputs.

    The ONNX model runs with several batch sizes. Call this in a process that does nothing else, so
    that nothing of the conversion can influence the comparison.
    """
    import keras  # here: the calling process does not need it
    import onnx

    from export.proof import logits

    graph = onnx.load(onnx_file)
    model_bytes = logits.with_logits(graph).SerializeToString()
    kind = onnx.helper.tensor_dtype_to_np_dtype(graph.graph.input[0].type.tensor_type.elem_type)
    model = keras.models.load_model(keras_file, compile=False, safe_mode=True)
    edges = as_input(edge_inputs(x_test.shape[1], low, high), kind)
    test = as_input(x_test, kind)

    def onnx_outputs(rows: NDArray[Any], size: int) -> Outputs:
        return runtime.predict(model_bytes, {graph.graph.input[0].name: rows}, size)

    expected = logits.keras_outputs(model, test.astype(np.float32))
    parts = {
        f"test set by {size}": difference(expected, onnx_outputs(test, size))
        for size in BATCH_SIZES
    }
    expected = logits.keras_outputs(model, edges.astype(np.float32))
    parts["edge inputs"] = difference(expected, onnx_outputs(edges, runtime.BATCH))
    return combine(parts, len(test) + len(edges))


def as_input(rows: NDArray[np.float32], kind: np.dtype[Any]) -> NDArray[Any]:
    """Convert rows to the type of a model's input, rounded if it takes whole numbers."""
    return (rows if kind.kind == "f" else np.rint(rows)).astype(kind)


def difference(expected: Outputs, got: Outputs) -> Difference:
    """Compare the outputs of two models for the same rows."""
    differences = [
        np.abs(mine.astype(np.float64) - theirs)
        for mine, theirs in zip(got, expected, strict=False)
    ]
    logits = differences[1:2]
    return Difference(
        rows=len(expected[0]),
        max_abs_difference=float(differences[0].max()),
        mean_abs_difference=float(differences[0].mean()),
        top1_agreement=float((got[0].argmax(axis=1) == expected[0].argmax(axis=1)).mean()),
        max_abs_logit_difference=float(logits[0].max()) if logits else None,
        mean_abs_logit_difference=float(logits[0].mean()) if logits else None,
    )


def combine(parts: Mapping[str, Difference], rows: int) -> Parity:
    """Combine parts: maxima, and means weighted by rows; ``rows`` counts distinct rows."""
    weights = [part.rows for part in parts.values()]

    def merged(name: str) -> float | None:
        values = [getattr(part, name) for part in parts.values()]
        if None in values:
            return None
        largest = name.startswith("max")
        return float(np.max(values) if largest else np.average(values, weights=weights))

    names = {one.name for one in dataclasses.fields(Difference)} - {"rows"}
    differences: dict[str, Any] = {name: merged(name) for name in names}
    return Parity(rows=rows, parts=parts, **differences)


def mismatch(parity: Parity) -> str | None:
    """Why the difference is too large to publish the model; None if it is not."""
    if not parity.max_abs_difference <= MAX_ABS_DIFFERENCE:  # also if it is NaN
        return (
            f"largest difference {parity.max_abs_difference:.2e}, at most {MAX_ABS_DIFFERENCE:.0e}"
        )
    if parity.top1_agreement < 1:
        return f"the top class agrees on {parity.top1_agreement:.3%} of the rows, expected 100 %"
    return None
