"""Promote a version to an alias, and roll back to the version before."""

import contextlib
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from bundle import labels, layout, reader, writer
from bundle.errors import BundleError
from bundle.manifest import Manifest
from export.errors import ExportError
from export.registry import alias as aliases
from export.registry import gate, history, paired_rows, shadow_agreement
from export.registry.alias import RegisteredVersion
from export.registry.gate import Limits
from export.registry.history import AliasChange
from export.registry.paired_rows import PairedRows
from export.versions.verify import check_golden


@dataclass(frozen=True)
class Promoted:
    """The result of a promotion or rollback."""

    root: Path
    registered: str | None
    """The version's number in MLflow's registry, if it is registered."""
    forced: tuple[str, ...] = ()
    """Conditions that the version does not meet."""

    @property
    def where(self) -> str:
        """Where the alias was assigned."""
        if self.registered is None:
            return f"in {self.root}"
        return f"in {self.root} and, as version {self.registered}, in MLflow's registry"


def promote(
    root: Path, name: str, version: int, alias: str, limits: Limits, force: bool = False
) -> Promoted:
    """Assign ``alias`` to a version that meets the conditions of ``gate``.

    Args:
        root: the repository.
        name: of the model.
        version: of the model.
        alias: in MLflow's registry and in the repository.
        limits: of the conditions.
        force: assign it although conditions are not met, and record which.

    Raises:
        ExportError: the version is damaged, not registered, or fails a condition, or MLflow
            refuses the alias; then nothing has changed.

    """
    with _locked(root, name):
        return _promote(root, name, version, alias, limits, force)


def _promote(
    root: Path, name: str, version: int, alias: str, limits: Limits, force: bool
) -> Promoted:
    manifest = _checked(root, name, version, alias, limits.key)
    registered = aliases.registered(manifest)
    current = labels.read(root, name).versions.get(alias)
    champion, unreadable = _champion(root, name, current, version)
    earlier = _earlier(root, name, alias, {current, version})
    paired, damaged = _paired(root / name, manifest, champion)
    unmet = [*unreadable, *damaged]
    unmet += gate.failures(manifest, champion, registered.tags, limits, earlier, paired)
    if limits.agreement is not None and limits.metrics_url:
        wanted = limits.metrics_url, name, version, current, limits.agreement
        unmet += filter(None, [shadow_agreement.failure(*wanted)])
    if unmet and not force:
        raise ExportError(
            f"{name} version {version} is not promoted:"
            + "".join(f"\n  {reason}" for reason in unmet)
            + "\n--force promotes it anyway, and records this"
        )
    _assign(root, name, version, registered, _change("promote", alias, version, current, unmet))
    aliases.record_forced(name, alias, registered, unmet)
    return Promoted(root, registered.version, tuple(unmet))


def rollback(root: Path, name: str, alias: str, key: Path | None = None) -> tuple[int, Promoted]:
    """Assign ``alias`` to the version that had it before; returns that version too.

    With a public ``key``, that version must be signed with the matching private key.

    Raises:
        ExportError: there is no such version, or it is damaged; then nothing has changed.

    """
    with _locked(root, name):
        return _rollback(root, name, alias, key)


@contextlib.contextmanager
def _locked(root: Path, name: str) -> Iterator[None]:
    """Allow one promotion or rollback of a model at a time, including checks and history."""
    if not layout.versions(root, name):
        raise ExportError(f"{root / name} has no versions")
    try:
        with writer.promotion_lock(root, name):
            yield
    except BundleError as error:
        raise ExportError(str(error)) from None


def _rollback(root: Path, name: str, alias: str, key: Path | None) -> tuple[int, Promoted]:
    current = labels.read(root, name).versions.get(alias)
    if current is None:
        raise ExportError(f"no version of {name} in {root} is {alias}")
    existing = layout.versions(root, name)
    version = history.before(history.read(root, name), alias, current, existing)
    if version is None:
        raise ExportError(
            f"{root / name / history.FILE} has no version that was {alias} before"
            f" version {current} and still exists"
        )
    registered = aliases.registered(_checked(root, name, version, alias, key))
    _assign(root, name, version, registered, _change("rollback", alias, version, current, []))
    return version, Promoted(root, registered.version)


def _assign(
    root: Path, name: str, version: int, registered: RegisteredVersion, change: AliasChange
) -> None:
    aliases.assign(root, name, change.alias, version, registered)
    try:
        history.append(root, name, change)
    except OSError as error:
        raise ExportError(
            f"{name} version {version} is {change.alias} now, but {root / name / history.FILE}"
            f" could not be written, so that a rollback will not know of it: {error.strerror}"
        ) from None


def _change(
    action: str, alias: str, version: int, before: int | None, forced: list[str]
) -> AliasChange:
    return AliasChange(
        time=history.now(),
        action=action,
        alias=alias,
        version=version,
        before=before,
        forced=tuple(forced),
    )


def _checked(root: Path, name: str, version: int, alias: str, key: Path | None) -> Manifest:
    """Check the files and golden outputs of a version; returns its manifest."""
    if version not in (existing := layout.versions(root, name)):
        has = ", ".join(map(str, existing))
        raise ExportError(f"{root / name} has no version {version}; it has {has}")
    if not labels.is_label(alias):
        raise ExportError(f"alias {alias!r}: {labels.LABEL_RULE}")
    try:
        bundle = reader.read_version(root, name, version, key)
        check_golden(bundle)
        labels.read(root, name)  # refuse a damaged file before it is changed
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
    root: Path, name: str, current: int | None, version: int
) -> tuple[Manifest | None, list[str]]:
    """The manifest of the version that has the alias, and why it can't be read."""
    if current in (None, version):
        return None, []
    path = root / name / str(current) / layout.MANIFEST_FILE
    try:
        return Manifest.from_json(path.read_bytes()), []
    except (OSError, BundleError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return None, [f"accuracy: that of version {current} can't be read: {path}: {reason}"]


def _paired(
    model: Path, manifest: Manifest, champion: Manifest | None
) -> tuple[PairedRows | None, list[str]]:
    """The rows on which both versions differ, and why they can't be read."""
    try:
        return (paired_rows.compare(model, manifest, champion) if champion else None), []
    except ExportError as error:
        return None, [f"accuracy: the results of test rows can't be read: {error}"]


def _earlier(root: Path, name: str, alias: str, others: Set[int | None]) -> list[Manifest]:
    """The manifests of versions that had the alias before, except ``others``."""
    numbers = set(history.holders(history.read(root, name), alias)) - others
    found = []
    for number in sorted(numbers):
        path = root / name / str(number) / layout.MANIFEST_FILE
        with contextlib.suppress(OSError, BundleError):  # a deleted version sets no limit
            found.append(Manifest.from_json(path.read_bytes()))
    return found
