"""docs/decisions/README.md: the list of decisions."""

import re
from pathlib import Path

from tests.imports import ROOT

_INTRODUCTION = """\
# Decisions

Why things are as they are, one page per decision, newest last. A new page changes an old one and
says so. `python -m docs.generate` writes this list.
"""
_TITLE = re.compile(r"# (\d+)\. (.+)")


def write() -> str:
    """The page.

    Raises:
        ValueError: the first line of a decision is not its number and title.

    """
    pages = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    return "\n".join([_INTRODUCTION, *map(_entry, pages)]) + "\n"


def _entry(page: Path) -> str:
    title = _TITLE.match(page.read_text())
    if not title:
        raise ValueError(f"{page}: expected a first line like # 1. Title")
    return f"- [{title[1]}]({page.name}) {title[2]}"
