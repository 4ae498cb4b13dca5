"""A model whose answers tell its version: version N answers x + N."""

import json
import shutil
from pathlib import Path

import numpy as np

from bundle import writer
from bundle.golden import Golden
from bundle.manifest import Manifest, TensorSpec

NUMBER = 12345.0
"""What the model in tests/models/swapped.py adds."""


class Plus:
    """Versions of it in a repository of a test's own."""

    def __init__(self, swapped_repository: Path, folder: Path) -> None:
        self.repository = swapped_repository
        self.folder = folder
        self._model = (swapped_repository / "plus/1/model.onnx").read_bytes()

    def path(self, version: int) -> Path:
        return self.folder / "plus" / str(version)

    def publish(self, version: int, adds: int | None = None) -> Path:
        """Publish what must become ``version``; it is bad where it adds another number."""
        model = self._with(version if adds is None else adds)
        x = np.arange(6, dtype="f4").reshape(3, 2)
        golden = Golden({"x": x}, {"y": x + np.float32(version)})
        manifest = Manifest(
            name="plus",
            version=version,
            created="2026-01-01T00:00:00Z",
            files={},
            inputs=(TensorSpec(name="x", dtype="float32", shape=(-1, 2)),),
            outputs=(TensorSpec(name="y", dtype="float32", shape=(-1, 2)),),
        )
        files = {"model.onnx": model, "golden.npz": golden.to_npz()}
        path = writer.publish(self.folder, manifest, files)
        assert path.name == str(version)
        return path

    def corrupt(self, version: int) -> None:
        """Overwrite its model in place with another one."""
        (self.path(version) / "model.onnx").write_bytes(self._with(version + 1))

    def remove(self, version: int) -> None:
        """Delete a version; its number may come again, as in repositories of other writers."""
        shutil.rmtree(self.path(version))
        (self.folder / "plus/published.txt").unlink(missing_ok=True)

    def label(self, **labels: int | dict[str, int | bool]) -> None:
        new = self.folder / "plus/.labels"
        new.write_text(json.dumps(labels))
        new.replace(self.folder / "plus/labels.json")

    def _with(self, number: int) -> bytes:
        before = np.array([NUMBER], "<f4").tobytes()
        assert self._model.count(before) == 1
        return self._model.replace(before, np.array([number], "<f4").tobytes())
