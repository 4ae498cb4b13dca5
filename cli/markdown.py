"""A table in a Markdown file, in place of the one that stands there."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from cli.errors import CommandError


def put(file: Path, place: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table between ``<!-- place -->`` and ``<!-- /place -->``; its first column is text.

    Raises:
        CommandError: the file can't be read or written, or has no such place.

    """
    lines = [head, ["---", *["--:"] * (len(head) - 1)]]
    lines += [[cell.replace("|", "\\|") for cell in row] for row in rows]
    put_text(file, place, "".join(f"| {' | '.join(line)} |\n" for line in lines))


def put_text(file: Path, place: str, drawn: str) -> None:
    """Write whole lines in place of those that stand there.

    Raises:
        CommandError: as ``put``.

    """
    between = re.compile(rf"(<!-- {place} -->\n).*?(<!-- /{place} -->)", re.DOTALL)
    try:
        text = file.read_text()
        if not between.search(text):
            raise CommandError(
                f"{file} has no line <!-- {place} --> with <!-- /{place} --> after it: the"
                " table's place"
            )
        file.write_text(between.sub(lambda found: found[1] + drawn + found[2], text))
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file}: {getattr(error, 'strerror', None) or 'not a text'}") from None
