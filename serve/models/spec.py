"""Name, version, inputs and outputs of a model, independent of the protocol."""

from dataclasses import dataclass
from functools import cached_property

from bundle.manifest import BATCH, TEXT, Manifest, TensorSpec
from serve.models.table_spec import TableSpec


@dataclass(frozen=True)
class ModelSpec:
    """One version of a model."""

    name: str
    version: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    labels: tuple[str, ...] = ()
    """Names of the classes, if they are known."""
    manifest: Manifest | None = None
    batchable: bool = False
    """Can requests be combined into a batch?"""
    size_bytes: int = 0
    """Of the ONNX file."""

    @cached_property
    def by_name(self) -> dict[str, TensorSpec]:
        """The inputs by their names."""
        return {spec.name: spec for spec in self.inputs}

    @cached_property
    def table(self) -> TableSpec | None:
        """The only input of a model of a table; None for other models."""
        first = self.inputs[0]
        return first if isinstance(first, TableSpec) else None

    @cached_property
    def output_names(self) -> list[str]:
        """Names of the outputs, in the order of the graph."""
        return [output.name for output in self.outputs]

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, if they differ from their indices."""
        numbers = tuple(map(str, range(len(self.labels))))
        fit = self.outputs[0].shape[-1:] == (len(self.labels),)
        return self.labels if fit and self.labels != numbers else ()

    @cached_property
    def is_regression(self) -> bool:
        """Does it predict values, and no classes?"""
        if self.manifest and self.manifest.task:
            return self.manifest.task == "regression"
        return self.outputs[0].name == "variable"  # as skl2onnx names it

    @cached_property
    def has_label_output(self) -> bool:
        """Are its outputs a label and then the probabilities of classes, as skl2onnx has them?"""
        if len(self.outputs) < 2:
            return False
        label, probabilities = self.outputs[:2]
        is_label = len(label.shape) == 1 and label.dtype in ("int64", TEXT)
        return is_label and len(probabilities.shape) == 2 and "float" in probabilities.dtype

    @cached_property
    def fixed_rows(self) -> int | None:
        """The only number of rows that the graph accepts; None if it accepts any."""
        sizes = {spec.shape[0] for spec in self.inputs} - {BATCH}
        return min(sizes, default=None)

    @cached_property
    def id(self) -> tuple[str, str]:
        """Name and version, as strings."""
        return self.name, str(self.version)

    @cached_property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers of every response that tell the model."""
        name, version = self.id
        known = (("X-Model-Name", name), ("X-Model-Version", version))
        run = self.manifest.run_id if self.manifest else None
        return (*known, ("X-Model-Run", run)) if run else known

    @cached_property
    def header_lines(self) -> str:
        """The same, serialized."""
        return "".join(f"{name}: {value}\r\n" for name, value in self.headers)
