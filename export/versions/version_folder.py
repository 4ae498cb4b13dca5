"""The folder of a published version: which version it is, and which files belong in it."""

from pathlib import Path

from bundle import layout
from bundle.manifest import Manifest
from export.errors import ExportError


def locate(folder: Path) -> tuple[Path, str, int]:
    """Find the repository, the model and the version of a folder such as ``models/mnist/3``.

    Raises:
        ExportError: the folder is not a version of a model.

    """
    path = folder.resolve()
    root, name = path.parent.parent, path.parent.name
    if path.name not in map(str, layout.versions(root, name)):
        raise ExportError(
            f"{folder}: not a version of a model; expected a folder such as models/mnist/3"
        )
    return root, name, int(path.name)


def refuse_extra_files(folder: Path, manifest: Manifest | None) -> None:
    """Refuse a version with files that were not published with it: other servers might read them.

    Raises:
        ExportError: there are such files.

    """
    named = set(manifest.files) | {layout.MANIFEST_FILE} if manifest else {layout.MODEL_FILE}
    known = named | {layout.SIGNATURE_FILE}
    others = sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if str(path.relative_to(folder)) not in known or path.is_symlink()
    )
    if others:
        raise ExportError(f"{folder}: {', '.join(others)}: not published with this version")
