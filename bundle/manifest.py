"""``manifest.json``: what a published model version is, and where it came from."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bundle.errors import BundleError
from bundle.features import Feature
from bundle.golden import TOLERANCE
from bundle.measurements import Difference, Parity, Quantization
from bundle.reference import Histogram

SCHEMA_VERSION = 1
TASKS = ("classification", "regression")
_LONGEST_TEXT = 1000  # characters
BATCH = -1  # stands for the batch dimension in a shape
DTYPES = frozenset(["bool", "float16", "float32", "float64"]) | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
TEXT = "string"  # the dtype of outputs that are texts, such as the labels of skl2onnx


@dataclass(frozen=True, kw_only=True)
class TensorSpec:
    """One input or output of a model."""

    name: str
    """Of the tensor in the graph."""
    dtype: str
    """A numpy dtype name, such as ``float32``; an output may also have ``TEXT``."""
    shape: tuple[int, ...]
    """With -1 for the batch dimension, or one that the graph leaves open."""
    range: tuple[float, float] | None = None
    """Smallest and largest value that the model was made for, where it is known."""

    def __post_init__(self) -> None:
        """Make tuples of what JSON brings as lists, and refuse what describes no tensor."""
        object.__setattr__(self, "shape", tuple(self.shape))
        if self.range is not None:
            object.__setattr__(self, "range", tuple(self.range))
        if not (isinstance(self.name, str) and self.dtype in (*DTYPES, TEXT)):
            raise ValueError(f"{self.name!r} of {self.dtype!r} is no tensor")
        if not all(type(size) is int for size in self.shape):
            raise ValueError(f"{self.name} has no sizes in its shape")
        low_high = self.range or (0, 0)
        if len(low_high) != 2 or not all(type(bound) in (int, float) for bound in low_high):
            raise ValueError(f"{self.name} has no two numbers in its range")


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The data that a model was trained and measured on."""

    name: str
    """Such as ``mnist``."""
    sha256: str
    """Of its arrays: features and targets for training and testing."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One published version. Everything after ``features`` is provenance and may be missing."""

    schema_version: int = SCHEMA_VERSION
    """Of this format."""
    name: str
    """Of the model; its folder has the same name."""
    version: int
    """Its folder has the same name."""
    created: str
    """When it was published: ISO 8601, UTC."""
    files: Mapping[str, str]
    """SHA-256 of each file beside the manifest."""
    inputs: tuple[TensorSpec, ...]
    """In the order of the graph."""
    outputs: tuple[TensorSpec, ...]
    """In the order of the graph."""
    labels: tuple[str, ...] = ()
    """Names of the classes, in the order of the outputs' last dimension."""
    task: str | None = None
    """One of ``TASKS``; missing where it is not known, as for most imported models."""
    features: tuple[Feature, ...] = ()
    """What the columns of the only input stand for, in its order; empty for images."""
    run_id: str | None = None
    """The MLflow run that trained the model."""
    git_commit: str | None = None
    """Of the code that trained it."""
    dataset: Dataset | None = None
    """That it was trained and measured on."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Such as ``test_accuracy``, 0..1, or ``test_rmse`` in units of the target."""
    parity: Parity | None = None
    """How closely it answers as its Keras source does; missing for an imported model."""
    quantization: Quantization | None = None
    """Only where weights or activations are not float32."""
    reference: Mapping[str, Histogram] = field(default_factory=dict)
    """Of the test set, by measure; see ``bundle.reference``."""
    us_per_row: Mapping[str, float] = field(default_factory=dict)
    """CPU time in µs by the rows of a run, on one thread of the machine that exported."""
    golden_tolerance: float = TOLERANCE
    """Largest difference from a golden answer, on whatever CPU."""
    opset: int | None = None
    """Version of the operators of the graph."""
    ir_version: int | None = None
    """Version of the ONNX file format."""
    tools: Mapping[str, str] = field(default_factory=dict)
    """Versions of the packages that made the files."""

    def to_json(self) -> bytes:
        """The manifest as it stands on disk: indented UTF-8 JSON that ends in a newline."""
        return json.dumps(dataclasses.asdict(self), indent=2).encode() + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> "Manifest":
        """Read ``manifest.json``; keys of later schemas that this one lacks are ignored.

        Raises:
            BundleError: it is not JSON, of another schema, or lacks a field.

        """
        try:
            document = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise BundleError(f"not JSON: {error}") from None
        if not isinstance(document, dict):
            raise BundleError(f"expected a JSON object, got {type(document).__name__}")
        if document.get("schema_version") != SCHEMA_VERSION:
            raise BundleError(
                f"schema_version is {document.get('schema_version')!r};"
                f" this release reads {SCHEMA_VERSION}"
            )
        try:
            return _manifest(document)
        except (TypeError, ValueError, AttributeError) as error:
            raise BundleError(f"a field is missing or malformed: {error}") from None


def _manifest(document: dict[str, Any]) -> Manifest:
    known = _known(Manifest, document)
    for key in ("inputs", "outputs"):
        known[key] = tuple(_part(TensorSpec, spec) for spec in known.get(key, ()))
    known["labels"] = tuple(known.get("labels", ()))
    known["features"] = tuple(_part(Feature, feature) for feature in known.get("features", ()))
    known["parity"] = _parity(known.get("parity"))
    known["reference"] = {
        name: _part(Histogram, one) for name, one in known.get("reference", {}).items()
    }
    known["quantization"] = _part(Quantization, known.get("quantization"))
    known["dataset"] = _part(Dataset, known.get("dataset"))
    manifest = Manifest(**known)
    files = manifest.files
    if not (isinstance(files, dict) and files and manifest.inputs and manifest.outputs):
        raise ValueError("files, inputs and outputs may not be empty")
    if TEXT in (spec.dtype for spec in manifest.inputs):
        raise ValueError("an input has texts")
    if not all(isinstance(part, str) and "\0" not in part for part in (*files, *files.values())):
        raise ValueError("files maps names to checksums")
    _check_texts(manifest)
    _check_features(manifest)
    cost = manifest.quantization
    numbers = [manifest.golden_tolerance, *manifest.metrics.values(), *manifest.us_per_row.values()]
    if cost:
        losses = (cost.accuracy_loss, cost.rmse_increase)
        numbers += [loss for loss in losses if loss is not None]
        numbers += cost.us_per_row_before.values()
    if not all(type(number) in (int, float) for number in numbers):
        raise ValueError("a measure is no number")
    return manifest


def _check_features(manifest: Manifest) -> None:
    """Refuse a task that does not exist, and features that do not describe the input."""
    if manifest.task not in (None, *TASKS):
        raise ValueError(f"task {str(manifest.task)[:50]!r} is none of {', '.join(TASKS)}")
    if not manifest.features:
        return
    names = {feature.name for feature in manifest.features}
    if len(names) != len(manifest.features):
        raise ValueError("two features have the same name")
    shapes = [(spec.dtype, spec.shape[1:]) for spec in manifest.inputs]
    if shapes != [("float32", (len(manifest.features),))]:
        raise ValueError(
            f"{len(manifest.features)} features need one float32 input with as many columns"
        )


def _check_texts(manifest: Manifest) -> None:
    """Refuse texts that are not one line: they go into headers, metrics, logs and tables."""
    data = manifest.dataset
    texts = [manifest.name, manifest.created, manifest.run_id, manifest.git_commit]
    texts += [data.name, data.sha256] if data else []
    texts += [*manifest.reference, *manifest.labels, *manifest.tools, *manifest.tools.values()]
    for text in filter(None, texts):
        if not (isinstance(text, str) and text.isprintable() and len(text) <= _LONGEST_TEXT):
            raise ValueError(f"{str(text)[:50]!r} is not one line of text")
    if not (manifest.run_id or "").isascii():
        raise ValueError(f"run_id {manifest.run_id!r} is not ASCII")


def _parity(document: dict[str, Any] | None) -> Parity | None:
    parity: Parity | None = _part(Parity, document)
    if not (parity and document and document.get("parts")):
        return parity
    parts = {of: _part(Difference, part) for of, part in document["parts"].items()}
    return dataclasses.replace(parity, parts=parts)


def _part(kind: type, document: dict[str, Any] | None) -> Any:
    return None if document is None else kind(**_known(kind, document))


def _known(kind: type, document: dict[str, Any]) -> dict[str, Any]:
    names = {known.name for known in dataclasses.fields(kind)}
    return {key: value for key, value in document.items() if key in names}
