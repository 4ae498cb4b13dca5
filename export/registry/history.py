"""``promotions.jsonl`` beside a model's versions: who had an alias when, a line a promotion."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bundle import writer
from export.errors import ExportError

FILE = "promotions.jsonl"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One change of an alias."""

    time: str
    """ISO 8601, UTC."""
    action: str
    """``promote`` or ``rollback``."""
    alias: str
    version: int
    before: int | None
    """The version that had the alias until then."""
    forced: tuple[str, ...] = ()
    """Conditions that it did not meet."""


def now() -> str:
    """The time as entries have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def note(root: Path, name: str, entry: Entry) -> None:
    """Add an entry for the model ``name``."""
    writer.append(root, name, FILE, json.dumps(asdict(entry)).encode() + b"\n")


def read(root: Path, name: str) -> list[Entry]:
    """All entries of a model, oldest first.

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
        raise ExportError(f"{path}: not a list of promotions: {error}") from None
    return [entry for entry in found if entry]


def _entry(line: str) -> Entry | None:
    try:
        document = json.loads(line)
    except ValueError:
        return None  # cut off when its writer was killed
    return Entry(**document | {"forced": tuple(document.get("forced", ()))})


def before(
    entries: Sequence[Entry], alias: str, version: int, there: Collection[int]
) -> int | None:
    """The version to go back to from ``version``, which has the alias now; None if there is none.

    A version that is not ``there`` any more does not count.
    """
    had = holders(entries, alias)
    while had and (had[-1] == version or had[-1] not in there):
        had.pop()
    return had[-1] if had else None


def holders(entries: Sequence[Entry], alias: str) -> list[int]:
    """The versions that had the alias, one after another.

    A version that was gone back from does not count, so that one can go back step by step.
    """
    had: list[int] = []
    for entry in entries:
        if entry.alias != alias:
            continue
        if entry.action == "rollback":
            while had and had[-1] != entry.version:
                had.pop()
            continue
        if entry.before is not None and had[-1:] != [entry.before]:
            had.append(entry.before)  # it got the alias in another way
        if had[-1:] != [entry.version]:
            had.append(entry.version)
    return had
