"""docs/decisions/README.md: the list of decisions."""

import re

from tests.imports import ROOT

_INTRODUCTION = """\
# Decisions

Why things are as they are, one page per decision, newest last. A new page changes an old one and
says so. `python -m docs.generate` writes this list.
"""
_TITLE = re.compile(r"# (\d+)\. (.+)")


def write() -> str:
    """The page."""
    entries = []
    for page in sorted((ROOT / "docs/decisions").glob("[0-9]*.md")):
        if title := _TITLE.match(page.read_text()):
            entries.append(f"- [{title[1]}]({page.name}) {title[2]}")
    return "\n".join([_INTRODUCTION, *entries]) + "\n"
