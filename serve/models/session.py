"""A model in memory: an onnxruntime session. The only module that imports onnxruntime."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import onnxruntime
from numpy.typing import NDArray

from bundle.errors import BundleError
from bundle.golden import Golden, Tensors
from bundle.manifest import BATCH, DTYPES, TEXT, Manifest, TensorSpec
from bundle.reader import Bundle
from serve.errors import StartError
from serve.models.spec import ModelSpec
from serve.models.table_spec import TableSpec

# onnxruntime's names for the element types of tensors.
_DTYPES = {f"tensor({name})": name for name in DTYPES - {"float32", "float64"}} | {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
}
_OUTPUT_DTYPES = _DTYPES | {"tensor(string)": TEXT}


# What is kept of the golden inputs: a picture or a row of a table for each of many classes.
_EXAMPLE_ROWS = 64
_EXAMPLE_NUMBERS = 100_000
_EXTERNAL_FOLDER = "session.model_external_initializers_file_folder_path"


@dataclass(frozen=True, eq=False)
class Model:
    """One version of a model. ``run`` may be called by several threads at once."""

    spec: ModelSpec
    session: onnxruntime.InferenceSession
    example: Tensors
    """A few golden inputs; empty where there are none."""

    def __str__(self) -> str:
        return f"{self.spec.name} version {self.spec.version}"

    def run(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run a batch; maps the names of inputs, and then of outputs, to arrays of shape (N, …)."""
        names = self.spec.output_names
        # What ``session.run`` calls after checking the names, which are known here: 3 us faster.
        outputs = self.session._sess.run(names, inputs, None)
        return dict(zip(names, outputs, strict=True))


def load(bundle: Bundle, threads: int) -> Model:
    """Create a session of a bundle, with so many threads, and test it with the golden inputs.

    Raises:
        StartError: onnxruntime refuses the graph, or its answers differ from the golden ones.

    """
    label = f"{bundle.name}/{bundle.version}"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads  # the default would be all cores of the host
    # Weights in external files would be read from the working directory, without a checksum.
    # onnxruntime accepts them only in this folder, which can't contain any.
    options.add_session_config_entry(_EXTERNAL_FOLDER, "/dev/null")
    try:
        session = onnxruntime.InferenceSession(
            bundle.model, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime has no common base class for its exceptions
        raise StartError(f"{label}: onnxruntime does not load it: {_line(error)}") from None
    inputs = tuple(_spec(label, tensor, _DTYPES) for tensor in session.get_inputs())
    outputs = tuple(_spec(label, tensor, _OUTPUT_DTYPES) for tensor in session.get_outputs())
    if bundle.manifest:
        declared = bundle.manifest
        if _graph_side(declared.inputs + declared.outputs) != _graph_side(inputs + outputs):
            raise StartError(
                f"{label}: the tensors in manifest.json differ from those of the graph"
            )
        inputs, outputs = _declared_inputs(declared), declared.outputs
    for spec in inputs:
        if not spec.shape or 0 in spec.shape:
            raise StartError(f"{label}: {spec.name} of shape {list(spec.shape)} has no batch")
    if len({spec.shape[0] for spec in inputs} - {BATCH}) > 1:
        raise StartError(f"{label}: its inputs take batches of different sizes")
    labels = bundle.manifest.labels if bundle.manifest else ()
    model_spec = ModelSpec(
        bundle.name,
        bundle.version,
        inputs,
        outputs,
        labels,
        bundle.manifest,
        _is_batchable(session),
        len(bundle.model),
    )
    model = Model(model_spec, session, _example(model_spec, bundle.golden))
    _check_golden(label, model, bundle)
    return model


def _example(model_spec: ModelSpec, golden: Golden | None) -> Tensors:
    """The first golden inputs: at least one row, the whole batch where its size is fixed."""
    inputs = golden.inputs if golden else {}
    numbers = sum(array[:1].size for array in inputs.values())
    rows = model_spec.fixed_rows or min(_EXAMPLE_ROWS, _EXAMPLE_NUMBERS // max(numbers, 1)) or 1
    return {name: array[:rows].copy() for name, array in inputs.items()}


def _is_batchable(session: onnxruntime.InferenceSession) -> bool:
    """Does the first dimension of all tensors have the same name in the graph?"""
    tensors = [*session.get_inputs(), *session.get_outputs()]
    first = {tensor.shape[0] if tensor.shape else None for tensor in tensors}
    return len(first) == 1 and all(isinstance(name, str) and name for name in first)


def _check_golden(label: str, model: Model, bundle: Bundle) -> None:
    if bundle.golden is None:
        return
    try:
        bundle.golden.check(model.run(dict(bundle.golden.inputs)))
    except BundleError as error:
        raise StartError(f"{label}: {error}") from None
    except Exception as error:
        raise StartError(f"{label}: the golden inputs do not run: {_line(error)}") from None


def _spec(label: str, tensor: onnxruntime.NodeArg, dtypes: Mapping[str, str]) -> TensorSpec:
    if tensor.type not in dtypes:
        reason = f"{tensor.name} is a {tensor.type}, which is not supported"
        if tensor.type.startswith("seq(map("):
            reason += '; skl2onnx writes a tensor instead with options={"zipmap": False}'
        raise StartError(f"{label}: {reason}")
    shape = tuple(size if isinstance(size, int) else BATCH for size in tensor.shape)
    return TensorSpec(name=tensor.name, dtype=dtypes[tensor.type], shape=shape)


def _declared_inputs(manifest: Manifest) -> tuple[TensorSpec, ...]:
    """The inputs as the manifest describes them, for a table with its features."""
    if not manifest.features:
        return manifest.inputs
    (spec,) = manifest.inputs
    features = manifest.features
    return (TableSpec(name=spec.name, dtype=spec.dtype, shape=spec.shape, features=features),)


def _graph_side(specs: tuple[TensorSpec, ...]) -> list[tuple[str, str, tuple[int, ...]]]:
    """What a graph contains about its tensors; only a manifest has ranges."""
    return [(spec.name, spec.dtype, spec.shape) for spec in specs]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
