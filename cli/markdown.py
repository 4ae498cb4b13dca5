"""Replace a table in a Markdown file."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from cli.errors import CommandError


def put_table(
    file: Path, marker: str, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Write a table between ``<!-- marker -->`` and ``<!-- /marker -->``; its first column is text.

    Raises:
        CommandError: the file can't be read or written, or lacks the markers.

    """
    lines = [header, ["---", *["--:"] * (len(header) - 1)]]
    lines += [[cell.replace("|", "\\|") for cell in row] for row in rows]
    put_text(file, marker, "".join(f"| {' | '.join(line)} |\n" for line in lines))


def put_text(file: Path, marker: str, new: str) -> None:
    """Replace the lines between the markers.

    Raises:
        CommandError: see ``put_table``.

    """
    between = re.compile(rf"(<!-- {marker} -->\n).*?(<!-- /{marker} -->)", re.DOTALL)
    try:
        text = file.read_text()
        if not between.search(text):
            raise CommandError(
                f"{file}: expected the lines <!-- {marker} --> and <!-- /{marker} -->, between"
                " which the table goes"
            )
        file.write_text(between.sub(lambda found: found[1] + new + found[2], text))
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            f"{file}: {getattr(error, 'strerror', None) or 'not a text file'}"
        ) from None
