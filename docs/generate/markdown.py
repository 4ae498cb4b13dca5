"""Parts of Markdown pages."""

from collections.abc import Iterable, Sequence

from docs.generate import contents

NOTICE = "<!-- Generated from the code by `python -m docs.generate`; do not edit. -->"


def page(title: str, *parts: str) -> str:
    """A generated page."""
    text = "\n\n".join([f"# {title}", NOTICE, contents.EMPTY, *parts]) + "\n"
    return contents.renewed(text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a vertical bar in a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
        for line in lines
    )


def code(text: str) -> str:
    """A piece of code in a sentence."""
    return f"`{text}`" if text else ""
