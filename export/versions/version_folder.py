"""Which version a folder is, and what lies in it."""

from pathlib import Path

from bundle import layout
from bundle.manifest import Manifest
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


def refuse_strangers(folder: Path, manifest: Manifest | None) -> None:
    """Refuse a version with files that were not published with it; other servers may read them.

    Raises:
        ExportError: there are some.

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
