"""The history of aliases: ``promotions.jsonl`` beside a model's versions, one line per change."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bundle import writer
from export.errors import ExportError

FILE = "promotions.jsonl"


@dataclass(frozen=True, kw_only=True)
class AliasChange:
    """One change of an alias."""

    time: str
    """ISO 8601, UTC."""
    action: str
    """``promote`` or ``rollback``."""
    alias: str
    version: int
    before: int | None
    """The version that had the alias before."""
    forced: tuple[str, ...] = ()
    """Conditions that the version did not meet."""


def now() -> str:
    """The current time in the format of the history."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def append(root: Path, name: str, change: AliasChange) -> None:
    """Add a change to the history of the model ``name``."""
    writer.append(root, name, FILE, json.dumps(asdict(change)).encode() + b"\n")


def read(root: Path, name: str) -> list[AliasChange]:
    """Read all changes of a model, oldest first.

    Raises:
        ExportError: the file can't be read.

    """
    path = root / name / FILE
    try:
        lines = path.read_text().splitlines()
        found = [_entry(line) for line in lines]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ExportError(f"{path}: not a history of promotions: {error}") from None
    return [entry for entry in found if entry]


def _entry(line: str) -> AliasChange | None:
    try:
        document = json.loads(line)
    except ValueError:
        return None  # incomplete: its writer was killed
    return AliasChange(**document | {"forced": tuple(document.get("forced", ()))})


def before(
    changes: Sequence[AliasChange], alias: str, version: int, existing: Collection[int]
) -> int | None:
    """Find the version to roll back to from ``version``, which has the alias now; None if none.

    Only ``existing`` versions count.
    """
    had = holders(changes, alias)
    while had and (had[-1] == version or had[-1] not in existing):
        had.pop()
    return had[-1] if had else None


def holders(changes: Sequence[AliasChange], alias: str) -> list[int]:
    """List the versions that had the alias, in order.

    Versions that were rolled back are left out, so that several rollbacks go back step by step.
    """
    had: list[int] = []
    for change in changes:
        if change.alias != alias:
            continue
        if change.action == "rollback":
            while had and had[-1] != change.version:
                had.pop()
            continue
        if change.before is not None and had[-1:] != [change.before]:
            had.append(change.before)  # it got the alias in some other way
        if had[-1:] != [change.version]:
            had.append(change.version)
    return had
