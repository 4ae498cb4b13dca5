"""The table of contents of a page: links to its sections, between two comments."""

import re
from pathlib import Path

BEGIN, END = "<!-- contents -->", "<!-- /contents -->"
EMPTY = f"{BEGIN}\n{END}"
_PLACE = re.compile(f"{BEGIN}\n.*?{END}", re.DOTALL)
_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)


def has(page: Path) -> bool:
    """Does a page have a place for it?"""
    return BEGIN in page.read_text()


def renewed(text: str) -> str:
    """The text of a page, with the contents as they are now."""
    links = [f"[{name}](#{anchor(name)})" for name in sections(text)]
    return _PLACE.sub(lambda _: f"{BEGIN}\n{' · '.join(links)}\n{END}", text)


def sections(text: str) -> list[str]:
    """The headings of the second level."""
    return _SECTION.findall(_BLOCK.sub("", text))


def anchor(heading: str) -> str:
    """What GitHub makes of a heading in a link."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
