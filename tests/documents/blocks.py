"""The blocks of commands in a Markdown page.

Tests leave some of them out:

- ``docker``: it calls a container engine;
- ``cluster``: it calls Kubernetes or a cloud;
- ``slow``: it takes more than a few seconds, says the comment ``<!-- test: slow -->`` before it;
- ``never``: it is an example that nothing can run, says ``<!-- test: never -->``.
"""

import re
from dataclasses import dataclass
from pathlib import Path

MARKS = ("slow", "docker", "cluster", "never")
_CALLS = {"cluster": "kubectl|kind|aws", "docker": "docker|make images"}
_BLOCK = re.compile(
    r"^(?:<!-- test: (?P<mark>[^\n]*) -->\n)?^```sh\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_SERVES = re.compile(
    r"make (run|mlflow)\b|\.venv-serve/bin/python -m serve(?! (check|predict|health|--\w+$))"
)


@dataclass(frozen=True)
class Block:
    """Commands that a page shows together."""

    text: str
    mark: str
    """Why tests leave it out; empty where they run it."""
    line: int
    """Of the page, where its commands begin."""

    @property
    def serves(self) -> bool:
        """Is it one command that runs until Ctrl-C?"""
        command = self.text.strip()
        return "\n" not in command.replace("\\\n", "") and bool(_SERVES.match(command))


def read(page: Path) -> list[Block]:
    """All ``sh`` blocks of a page, in their order.

    Raises:
        ValueError: a mark is not one of ``MARKS``.

    """
    text = page.read_text()
    blocks = [
        Block(
            found["text"],
            found["mark"] or _needed(found["text"]),
            text.count("\n", 0, found.start("text")) + 1,
        )
        for found in _BLOCK.finditer(text)
    ]
    for block in blocks:
        if block.mark and block.mark not in MARKS:
            raise ValueError(f"{page}:{block.line}: the mark {block.mark!r} is not in {MARKS}")
    return blocks


def _needed(commands: str) -> str:
    """What commands need beside this project; empty where it is nothing."""
    for mark, programs in _CALLS.items():
        if re.search(rf"^(\w+=\S+ )*({programs})\b", commands, re.MULTILINE):
            return mark
    return ""
