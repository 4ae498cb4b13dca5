"""What a served model is, and takes and gives, whichever protocol speaks for it."""

from dataclasses import dataclass
from functools import cached_property

from bundle.manifest import BATCH, Manifest, TensorSpec


@dataclass(frozen=True)
class ModelSpec:
    """One version of a model."""

    name: str
    version: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    labels: tuple[str, ...] = ()
    """Names of the classes, where they are known."""
    manifest: Manifest | None = None
    batchable: bool = False
    """May the rows of several requests share a run?"""
    size_bytes: int = 0
    """Of the ONNX file."""

    @cached_property
    def by_name(self) -> dict[str, TensorSpec]:
        """The inputs by their names."""
        return {spec.name: spec for spec in self.inputs}

    @cached_property
    def output_names(self) -> list[str]:
        """Names of the outputs, in their order."""
        return [output.name for output in self.outputs]

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, where they say more than their numbers."""
        numbers = tuple(map(str, range(len(self.labels))))
        fit = self.outputs[0].shape[-1:] == (len(self.labels),)
        return self.labels if fit and self.labels != numbers else ()

    @cached_property
    def fixed_rows(self) -> int | None:
        """Rows of every batch, where the graph takes no other number of them."""
        sizes = {spec.shape[0] for spec in self.inputs} - {BATCH}
        return min(sizes, default=None)

    @cached_property
    def id(self) -> tuple[str, str]:
        """Name and version, as texts."""
        return self.name, str(self.version)

    @cached_property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What every answer says of the model that gave it."""
        name, version = self.id
        known = (("X-Model-Name", name), ("X-Model-Version", version))
        run = self.manifest.run_id if self.manifest else None
        return (*known, ("X-Model-Run", run)) if run else known

    @cached_property
    def header_lines(self) -> str:
        """The same, as lines of HTTP."""
        return "".join(f"{name}: {value}\r\n" for name, value in self.headers)
