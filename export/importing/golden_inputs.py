"""Golden inputs and outputs of a model without a run, from rows supplied with it or random ones."""

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray

from bundle.golden import Golden
from bundle.manifest import BATCH, TensorSpec
from export.errors import ExportError
from export.importing.rows import Rows
from export.proof import runtime
from export.proof.runtime import Array
from export.publishing.golden_rows import golden_rows

_ROWS = 8  # batch size of random inputs, unless the graph fixes it
_SIZE = 3  # of other dimensions without a size
_SEED = 0


def random_inputs(model: onnx.ModelProto, inputs: Sequence[TensorSpec]) -> Golden:
    """Run the model on random numbers from 0 to 1.

    Raises:
        ExportError: it does not run, or its outputs are not finite.

    """
    random = np.random.default_rng(_SEED)
    return _golden(model, {spec.name: _random(random, spec) for spec in inputs}, "random inputs")


def of_rows(model: onnx.ModelProto, inputs: Sequence[TensorSpec], rows: Rows) -> Golden:
    """Run the model on some of the rows: of each class, or spread over its values.

    Raises:
        ExportError: they do not fit the model, or its outputs are not finite.

    """
    if len(inputs) != 1:
        raise ExportError(f"--rows are for models with one input; this one has {len(inputs)}")
    (spec,) = inputs
    shape = rows.x.shape[1:]
    fits = len(spec.shape) == rows.x.ndim and all(
        size in (BATCH, given) for size, given in zip(spec.shape[1:], shape, strict=True)
    )
    if not fits or spec.shape[0] != BATCH:
        raise ExportError(
            f"the model takes an input of shape {list(spec.shape)}, and the rows have the shape"
            f" {[BATCH, *shape]}"
        )
    values = rows.x.astype(spec.dtype)
    outputs = _golden(model, {spec.name: values}, "the rows").outputs
    chosen = golden_rows(values, *_targets(next(iter(outputs.values()))), rows.features)
    return _golden(model, {spec.name: chosen}, "the rows")


def _targets(output: Array) -> tuple[Array, str]:
    """What the rows are chosen by, and the task that it looks like."""
    if output.ndim == 2 and output.shape[1] > 1:
        return output.argmax(axis=1), "classification"
    return output.reshape(len(output), -1)[:, 0], "regression"


def _golden(model: onnx.ModelProto, inputs: Mapping[str, Array], called: str) -> Golden:
    run = runtime.session(model.SerializeToString())
    try:
        results = run(inputs)
    except Exception as error:  # onnxruntime has no common class for what it raises
        raise ExportError(f"it does not run on {called}: {error}") from None
    outputs = dict(zip((output.name for output in model.graph.output), results, strict=True))
    for name, values in outputs.items():
        if not np.isfinite(values.astype(np.float64)).all():
            raise ExportError(f"its output {name} is not finite for {called}")
    return Golden(inputs, outputs)


def _random(random: np.random.Generator, spec: TensorSpec) -> NDArray[np.generic]:
    """A random batch for one input: numbers from 0 to 1, or the integers 0 and 1."""
    rows, *others = spec.shape
    shape = (_ROWS if rows == BATCH else rows, *(_SIZE if n == BATCH else n for n in others))
    kind = np.dtype(spec.dtype)
    values = random.uniform(0, 1, shape) if kind.kind == "f" else random.integers(0, 2, shape)
    return values.astype(kind)
