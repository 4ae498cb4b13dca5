"""Names of classes, from a text file."""

from pathlib import Path

from cli.errors import CommandError


def read(path: Path) -> tuple[str, ...]:
    """Read a file with one name per line, that of class 0 first.

    Raises:
        CommandError: the file can't be read, or a name is missing or occurs twice.

    """
    try:
        names = tuple(line.strip() for line in path.read_text().strip().splitlines())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise CommandError(f"{path}: {reason}") from None
    if not all(names) or len(set(names)) < len(names) or not names:
        raise CommandError(f"{path}: expected one class name per line, each of them different")
    return names
