"""Does the ONNX model answer as its Keras source does?"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bundle.manifest import Parity
from export import runtime

MAX_ABS_DIFFERENCE = 1e-5
_RANDOM_ROWS = 256
_SEED = 0


def edge_inputs(features: int, low: float, high: float) -> NDArray[np.float32]:
    """Rows beyond the test set: all at the lowest value, all at the highest, and random ones."""
    random = np.random.default_rng(_SEED).uniform(low, high, (_RANDOM_ROWS, features))
    return np.vstack([np.full(features, low), np.full(features, high), random]).astype(np.float32)


def compare(
    keras_file: Path, onnx_file: Path, x_test: NDArray[np.float32], low: float, high: float
) -> Parity:
    """Run both models on ``x_test`` (N, features) and on edge inputs, and compare the answers.

    Run it in a process of its own: nothing of the conversion then takes part in the proof.
    """
    import keras  # here: the process that asks for the comparison needs none of it

    rows = np.vstack([x_test, edge_inputs(x_test.shape[1], low, high)])
    model = keras.models.load_model(keras_file, compile=False, safe_mode=True)
    expected = np.concatenate(
        [np.asarray(model(batch, training=False)) for batch in runtime.batches(rows)]
    )
    got = runtime.answers(onnx_file, rows)
    same = got.argmax(axis=1) == expected.argmax(axis=1)
    return Parity(
        rows=len(rows),
        max_abs_difference=float(np.abs(got.astype(np.float64) - expected).max()),
        top1_agreement=float(same.mean()),
    )


def shortfall(parity: Parity) -> str | None:
    """What keeps a model from being published, or None where it is equal enough."""
    if not parity.max_abs_difference <= MAX_ABS_DIFFERENCE:  # also true for NaN
        return (
            f"largest difference {parity.max_abs_difference:.2e}, allowed {MAX_ABS_DIFFERENCE:.0e}"
        )
    if parity.top1_agreement < 1:
        return f"the top class agrees on {parity.top1_agreement:.3%} of the rows, required 100 %"
    return None
