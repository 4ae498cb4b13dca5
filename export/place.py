"""Which version a folder is."""

from pathlib import Path

from bundle import layout
from export.errors import ExportError


def located(folder: Path) -> tuple[Path, str, int]:
    """Repository, model and version of a folder such as ``models/mnist/3``.

    Raises:
        ExportError: it is no version of a model.

    """
    whole = folder.resolve()
    root, name = whole.parent.parent, whole.parent.name
    if whole.name not in map(str, layout.versions(root, name)):
        raise ExportError(f"{folder}: no version of a model; expected a folder as models/mnist/3")
    return root, name, int(whole.name)
