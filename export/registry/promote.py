"""Naming the version that is to be used, and going back to the one before."""

import contextlib
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from bundle import layout, reader, writer
from bundle.errors import BundleError
from bundle.manifest import Manifest
from export.errors import ExportError
from export.registry import alias as aliases
from export.registry import gate, history
from export.registry.alias import Registered
from export.registry.gate import Limits
from export.registry.history import Entry
from export.versions.verify import answers


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
    with _deciding(root, name):
        return _promote(root, name, version, alias, limits, force)


def _promote(
    root: Path, name: str, version: int, alias: str, limits: Limits, force: bool
) -> Promoted:
    manifest = _checked(root, name, version, alias, limits.key)
    there = aliases.registered(manifest)
    has_it = layout.labels(root, name).get(alias)
    champion, unreadable = _champion(root, name, has_it, version)
    earlier = _earlier(root, name, alias, {has_it, version})
    lacks = [*unreadable, *gate.failures(manifest, champion, there.tags, limits, earlier)]
    if lacks and not force:
        raise ExportError(
            f"{name} version {version} is not promoted:"
            + "".join(f"\n  {reason}" for reason in lacks)
            + "\n--force promotes it all the same, and records that it was forced"
        )
    _give(root, name, version, there, _entry("promote", alias, version, has_it, lacks))
    aliases.mark_forced(name, alias, there, lacks)
    return Promoted(root, there.version, tuple(lacks))


def rollback(root: Path, name: str, alias: str, key: Path | None = None) -> tuple[int, Promoted]:
    """Give ``alias`` back to the version that had it before; returns that version too.

    With a public ``key``, that version must be signed with the private one.

    Raises:
        ExportError: there was none, or it is not whole any more; nothing has changed then.

    """
    with _deciding(root, name):
        return _rollback(root, name, alias, key)


@contextlib.contextmanager
def _deciding(root: Path, name: str) -> Iterator[None]:
    """One promotion or rollback of a model at a time, from its checks to its record."""
    if not layout.versions(root, name):
        raise ExportError(f"{root / name} has no versions")
    try:
        with writer.promotion_lock(root, name):
            yield
    except BundleError as error:
        raise ExportError(str(error)) from None


def _rollback(root: Path, name: str, alias: str, key: Path | None) -> tuple[int, Promoted]:
    has_it = layout.labels(root, name).get(alias)
    if has_it is None:
        raise ExportError(f"no version of {name} in {root} is {alias}")
    there_are = layout.versions(root, name)
    version = history.before(history.read(root, name), alias, has_it, there_are)
    if version is None:
        raise ExportError(
            f"{root / name / history.FILE} tells of no version that was {alias} before"
            f" version {has_it} and is still there"
        )
    there = aliases.registered(_checked(root, name, version, alias, key))
    _give(root, name, version, there, _entry("rollback", alias, version, has_it, []))
    return version, Promoted(root, there.version)


def _give(root: Path, name: str, version: int, there: Registered, entry: Entry) -> None:
    aliases.give(root, name, entry.alias, version, there)
    try:
        history.note(root, name, entry)
    except OSError as error:
        raise ExportError(
            f"{name} version {version} is {entry.alias} now, but {root / name / history.FILE} could"
            f" not be written, and a rollback will not know of it: {error.strerror}"
        ) from None


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
        has = ", ".join(map(str, known))
        raise ExportError(f"{root / name} has no version {version}; it has {has}")
    if not layout.is_label(alias):
        raise ExportError(f"alias {alias!r}: {layout.LABEL_RULE}")
    try:
        bundle = reader.read_version(root, name, version, key)
        answers(bundle)
        layout.labels(root, name)  # which must be readable before it is changed
    except BundleError as error:
        raise ExportError(str(error)) from None
    manifest = bundle.manifest
    if manifest is None or (manifest.name, manifest.version) != (name, version):
        raise ExportError(
            f"{root / name / str(version)} was not published as version {version} of {name} by"
            " python -m export"
        )
    return manifest


def _champion(
    root: Path, name: str, has_it: int | None, version: int
) -> tuple[Manifest | None, list[str]]:
    """The manifest of another version that has the alias, and what keeps it from being read."""
    if has_it in (None, version):
        return None, []
    path = root / name / str(has_it) / layout.MANIFEST_FILE
    try:
        return Manifest.from_json(path.read_bytes()), []
    except (OSError, BundleError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return None, [f"accuracy: that of version {has_it} can't be read: {path}: {reason}"]


def _earlier(root: Path, name: str, alias: str, others: Set[int | None]) -> list[Manifest]:
    """The manifests of versions that had the alias before, but for ``others``."""
    numbers = set(history.holders(history.read(root, name), alias)) - others
    found = []
    for number in sorted(numbers):
        path = root / name / str(number) / layout.MANIFEST_FILE
        with contextlib.suppress(OSError, BundleError):  # one that is gone asks for nothing
            found.append(Manifest.from_json(path.read_bytes()))
    return found
