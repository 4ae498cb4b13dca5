"""Does the ONNX model answer as its Keras source does?"""

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
_MOST_ALONE = 1000
_SEED = 0

Answers = Sequence[NDArray[np.float32]]  # probabilities, and logits where both models have them


def edge_inputs(features: int, low: float, high: float) -> NDArray[np.float32]:
    """Rows beyond the test set.

    All at the lowest value, at the highest and half way; each of the first 1,000 features
    alone at the highest; and random ones.
    """
    alone = np.full((min(features, _MOST_ALONE), features), low)
    np.fill_diagonal(alone, high)
    levels = np.repeat([[low], [high], [(low + high) / 2]], features, axis=1)
    random = np.random.default_rng(_SEED).uniform(low, high, (_RANDOM_ROWS, features))
    return np.vstack([levels, alone, random]).astype(np.float32)


def compare(
    keras_file: Path, onnx_file: Path, x_test: NDArray[np.float32], low: float, high: float
) -> Parity:
    """Run both models on ``x_test`` (N, features) and on edge inputs, and compare the answers.

    The ONNX model is asked in batches of several sizes. Run it in a process that does nothing else:
    nothing of the conversion then takes part in the proof.
    """
    import keras  # here: the process that asks for the comparison needs none of it
    import onnx

    from export.proof import logits

    graph = onnx.load(onnx_file)
    exposed = logits.exposed(graph).SerializeToString()
    kind = onnx.helper.tensor_dtype_to_np_dtype(graph.graph.input[0].type.tensor_type.elem_type)
    model = keras.models.load_model(keras_file, compile=False, safe_mode=True)
    edges = as_input(edge_inputs(x_test.shape[1], low, high), kind)
    test = as_input(x_test, kind)

    def got(rows: NDArray[Any], size: int) -> Answers:
        return runtime.answers(exposed, {graph.graph.input[0].name: rows}, size)

    expected = logits.of_keras(model, test.astype(np.float32))
    parts = {f"test set by {size}": difference(expected, got(test, size)) for size in BATCH_SIZES}
    expected = logits.of_keras(model, edges.astype(np.float32))
    parts["edge inputs"] = difference(expected, got(edges, runtime.BATCH))
    return over_all(parts, len(test) + len(edges))


def as_input(rows: NDArray[np.float32], kind: np.dtype[Any]) -> NDArray[Any]:
    """Rows as a model of this input type takes them; whole numbers where it takes those."""
    return (rows if kind.kind == "f" else np.rint(rows)).astype(kind)


def difference(expected: Answers, got: Answers) -> Difference:
    """Compare two models' answers to the same rows."""
    apart = [
        np.abs(mine.astype(np.float64) - theirs)
        for mine, theirs in zip(got, expected, strict=False)
    ]
    logits = apart[1:2]
    return Difference(
        rows=len(expected[0]),
        max_abs_difference=float(apart[0].max()),
        mean_abs_difference=float(apart[0].mean()),
        top1_agreement=float((got[0].argmax(axis=1) == expected[0].argmax(axis=1)).mean()),
        max_abs_logit_difference=float(logits[0].max()) if logits else None,
        mean_abs_logit_difference=float(logits[0].mean()) if logits else None,
    )


def over_all(parts: Mapping[str, Difference], rows: int) -> Parity:
    """The largest differences of all parts, and means over all answers; ``rows`` are distinct."""
    asked = [part.rows for part in parts.values()]

    def merged(name: str) -> float | None:
        values = [getattr(part, name) for part in parts.values()]
        if None in values:
            return None
        largest = name.startswith("max")
        return float(np.max(values) if largest else np.average(values, weights=asked))

    names = {one.name for one in dataclasses.fields(Difference)} - {"rows"}
    differences: dict[str, Any] = {name: merged(name) for name in names}
    return Parity(rows=rows, parts=parts, **differences)


def shortfall(parity: Parity) -> str | None:
    """What keeps a model from being published, or None where it is equal enough."""
    if not parity.max_abs_difference <= MAX_ABS_DIFFERENCE:  # also true for NaN
        return (
            f"largest difference {parity.max_abs_difference:.2e}, allowed {MAX_ABS_DIFFERENCE:.0e}"
        )
    if parity.top1_agreement < 1:
        return f"the top class agrees on {parity.top1_agreement:.3%} of the rows, required 100 %"
    return None
