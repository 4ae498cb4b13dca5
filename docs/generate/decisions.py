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
    pages = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    titles = [(page.name, _TITLE.match(page.read_text())) for page in pages]
    entries = [f"- [{title[1]}]({name}) {title[2]}" for name, title in titles if title]
    return "\n".join([_INTRODUCTION, *entries]) + "\n"
