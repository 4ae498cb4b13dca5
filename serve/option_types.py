"""How a setting is declared, and how the text of one is read.

What reads a text raises ``argparse.ArgumentTypeError`` where it is wrong, which says what was
expected and what came.
"""

import argparse
from collections.abc import Callable
from dataclasses import field
from enum import Enum
from typing import Any


def knob(default: Any, parse: Callable[[str], Any], does: str, why: str) -> Any:
    """A setting: its default, how its text is read, what it does, why the default is so."""
    return field(default=default, metadata={"parse": parse, "help": does, "why": why})


def count(text: str) -> int:
    """A whole number from 1 up."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text}")
    return int(text)


def few(text: str) -> int:
    """A whole number from 0 to 64."""
    if not text.isdecimal() or int(text) > 64:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 to 64, got {text}")
    return int(text)


def port(text: str) -> int:
    """A port; 0 for any free one."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text}")
    return int(text)


def switch(text: str) -> bool:
    """On or off."""
    if text not in ("on", "off"):
        raise argparse.ArgumentTypeError(f"expected on or off, got {text}")
    return text == "on"


def choice(kind: type[Enum]) -> Callable[[str], Enum]:
    """A value of ``kind``."""

    def parse(text: str) -> Enum:
        try:
            return kind(text)
        except ValueError:
            known = ", ".join(str(member.value) for member in kind)
            raise argparse.ArgumentTypeError(f"expected one of {known}; got {text}") from None

    return parse


def duration(unit: str) -> Callable[[str], float]:
    """A time in ``unit``, from 0 up."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"expected {unit}, a number from 0 up, got {text}")
        return value

    return parse
