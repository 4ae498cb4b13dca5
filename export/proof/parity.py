"""Compare the outputs of an ONNX model with those of its Keras model."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.measurements import Difference, Parity
from export.proof import runtime

MAX_ABS_DIFFERENCE = 1e-5  # of a probability; of other values relative to their scale
BATCH_SIZES = (1, 2, 3, 7, 64, 1000)

Outputs = Sequence[NDArray[np.float32]]
"""Probabilities and, if both models have them, logits; or the values of a regression."""


def compare(
    keras_file: Path,
    onnx_file: Path,
    x_test: NDArray[np.float32],
    edges: NDArray[np.float32],
    spread: float | None = None,
) -> Parity:
    """Run both models on the test set and on edge inputs, and compare the outputs.

    The ONNX model runs the test set with several batch sizes. Call this in a process that does
    nothing else, so that nothing of the conversion can influence the comparison.

    Args:
        keras_file: the model that was trained.
        onnx_file: the model to publish.
        x_test: shape (N, features).
        edges: edge inputs, shape (M, features).
        spread: standard deviation of the target of a regression; None for a classification.

    """
    import keras  # here: the calling process does not need it
    import onnx

    from export.proof import logits

    graph = onnx.load(onnx_file)
    model_bytes = logits.with_logits(graph).SerializeToString()
    kind = onnx.helper.tensor_dtype_to_np_dtype(graph.graph.input[0].type.tensor_type.elem_type)
    model = keras.models.load_model(keras_file, compile=False, safe_mode=True)
    edges, test = as_input(edges, kind), as_input(x_test, kind)

    def onnx_outputs(rows: NDArray[Any], size: int) -> Outputs:
        return runtime.predict(model_bytes, {graph.graph.input[0].name: rows}, size)

    of_test, of_edges = (
        logits.keras_outputs(model, rows.astype(np.float32)) for rows in (test, edges)
    )
    classifies = spread is None
    parts = {
        f"test set by {size}": difference(of_test, onnx_outputs(test, size), classifies)
        for size in BATCH_SIZES
    }
    of_edges_here = onnx_outputs(edges, runtime.BATCH)
    parts["edge inputs"] = difference(of_edges, of_edges_here, classifies)
    whole = combine(parts, len(test) + len(edges))
    if spread is None:
        return whole
    largest = max(float(np.abs(outputs[0]).max()) for outputs in (of_test, of_edges))
    return dataclasses.replace(whole, scale=scale(spread, largest))


def scale(spread: float, largest: float) -> float:
    """What the values of a regression are compared by, as probabilities are by 1.

    The spread of the target is to a regression what 1 is to a probability. A tenth of the largest
    value comes on top, so that ``MAX_ABS_DIFFERENCE`` always allows some roundings of a float32:
    years, say, are around 2,000 with a spread of 5, and one rounding is 1e-4.

    Args:
        spread: standard deviation of the target in the test set.
        largest: absolute value that Keras gives.

    """
    return spread + largest / 10


def as_input(rows: NDArray[np.float32], kind: np.dtype[Any]) -> NDArray[Any]:
    """Convert rows to the type of a model's input, rounded if it takes whole numbers."""
    return (rows if kind.kind == "f" else np.rint(rows)).astype(kind)


def difference(expected: Outputs, got: Outputs, classifies: bool = True) -> Difference:
    """Compare the outputs of two models for the same rows."""
    differences = [
        np.abs(mine.astype(np.float64) - theirs)
        for mine, theirs in zip(got, expected, strict=False)
    ]
    logits = differences[1:2]
    agreement = (got[0].argmax(axis=1) == expected[0].argmax(axis=1)).mean()
    return Difference(
        rows=len(expected[0]),
        max_abs_difference=float(differences[0].max()),
        mean_abs_difference=float(differences[0].mean()),
        top1_agreement=float(agreement) if classifies else None,
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


def mismatch(parity: Parity, most: float = MAX_ABS_DIFFERENCE) -> str | None:
    """Why the difference is too large to publish the model; None if it is not.

    Values may differ by ``most`` of their scale.
    """
    limit = most * parity.scale
    if not parity.max_abs_difference <= limit:  # also if it is NaN
        return f"largest difference {parity.max_abs_difference:.2e}, at most {limit:.0e}"
    if parity.top1_agreement is not None and parity.top1_agreement < 1:
        return f"the top class agrees on {parity.top1_agreement:.3%} of the rows, expected 100 %"
    return None
