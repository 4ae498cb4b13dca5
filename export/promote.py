"""Naming the version that is to be used, and going back to the one before."""

from dataclasses import dataclass
from pathlib import Path

from bundle import layout, store
from bundle.errors import BundleError
from bundle.manifest import Manifest
from export import alias as aliases
from export import gate, history
from export.alias import Registered
from export.errors import ExportError
from export.gate import Limits
from export.history import Entry
from export.verify import answers


@dataclass(frozen=True)
class Promoted:
    """What was done."""

    root: Path
    registered: str | None
    """The version's number in MLflow's registry, where that has it."""
    forced: tuple[str, ...] = ()
    """Conditions that it does not meet."""

    @property
    def where(self) -> str:
        """Where the alias was given."""
        if self.registered is None:
            return f"in {self.root}"
        return f"in {self.root} and, as version {self.registered}, in MLflow's registry"


def promote(
    root: Path, name: str, version: int, alias: str, limits: Limits, force: bool = False
) -> Promoted:
    """Give ``alias`` to a version that meets the conditions of ``gate``.

    Args:
        root: the repository.
        name: of the model.
        version: of the model.
        alias: as MLflow has it; the same word is the label in the repository.
        limits: of the conditions.
        force: give it also to one that does not, and record which.

    Raises:
        ExportError: the version is not whole or not registered, or fails a condition, or MLflow
            does not take the alias; nothing has changed then.

    """
    manifest = _checked(root, name, version, alias, limits.key)
    there = aliases.registered(manifest)
    has_it = layout.labels(root, name).get(alias)
    champion = _manifest(root, name, has_it) if has_it not in (None, version) else None
    lacks = gate.failures(manifest, champion, there.tags, limits)
    if lacks and not force:
        raise ExportError(
            f"{name} version {version} is not promoted:"
            + "".join(f"\n  {reason}" for reason in lacks)
            + "\n--force promotes it all the same, and records that it was forced"
        )
    _give(root, name, version, there, _entry("promote", alias, version, has_it, lacks))
    return Promoted(root, there.version, tuple(lacks))


def rollback(root: Path, name: str, alias: str) -> tuple[int, Promoted]:
    """Give ``alias`` back to the version that had it before; returns that version too.

    Raises:
        ExportError: there was none, or it is not whole any more; nothing has changed then.

    """
    try:
        has_it = layout.labels(root, name).get(alias)
    except BundleError as error:
        raise ExportError(str(error)) from None
    if has_it is None:
        raise ExportError(f"no version of {name} in {root} is {alias}")
    version = history.before(history.read(root, name), alias, has_it)
    if version is None:
        raise ExportError(
            f"{root / name / history.FILE} tells of no version that was {alias} before"
            f" version {has_it}"
        )
    there = aliases.registered(_checked(root, name, version, alias, None))
    _give(root, name, version, there, _entry("rollback", alias, version, has_it, []))
    return version, Promoted(root, there.version)


def _give(root: Path, name: str, version: int, there: Registered, entry: Entry) -> None:
    aliases.mark_forced(name, entry.alias, there, list(entry.forced))
    aliases.give(root, name, entry.alias, version, there)
    history.note(root, name, entry)


def _entry(action: str, alias: str, version: int, before: int | None, forced: list[str]) -> Entry:
    return Entry(
        time=history.now(),
        action=action,
        alias=alias,
        version=version,
        before=before,
        forced=tuple(forced),
    )


def _checked(root: Path, name: str, version: int, alias: str, key: Path | None) -> Manifest:
    """The manifest of a version whose files and answers are those that were published."""
    if version not in (known := layout.versions(root, name)):
        has = ", ".join(map(str, known)) or "none"
        raise ExportError(f"{root / name} has no version {version}; it has {has}")
    if not layout.is_label(alias):
        raise ExportError(f"alias {alias!r}: {layout.LABEL_RULE}")
    try:
        bundle = store.read(root, name, version, key)
        answers(bundle)
        layout.labels(root, name)  # which must be readable before it is changed
    except BundleError as error:
        raise ExportError(str(error)) from None
    if bundle.manifest is None or bundle.manifest.name != name:
        raise ExportError(
            f"{root / name / str(version)} was not published as {name} by python -m export"
        )
    return bundle.manifest


def _manifest(root: Path, name: str, version: int | None) -> Manifest | None:
    """Of the version that has the alias, if it can be read: a damaged one is no hindrance."""
    try:
        return store.read(root, name, version or 0).manifest
    except BundleError:
        return None
