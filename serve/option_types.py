"""How an option is declared, and the types that its text is converted to.

Each converter raises ``argparse.ArgumentTypeError`` for an invalid text. The message says what was
expected and what came.
"""

import argparse
from collections.abc import Callable
from dataclasses import field
from enum import Enum
from typing import Any


def option(default: Any, parse: Callable[[str], Any], text: str, reason: str) -> Any:
    """Declare an option: its default, its type, its help text, and the reason for the default."""
    return field(default=default, metadata={"parse": parse, "help": text, "reason": reason})


def positive_integer(text: str) -> int:
    """An integer of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text}")
    return int(text)


def positive(unit: str) -> Callable[[str], float]:
    """A finite number above 0, in ``unit``."""
    not_negative = duration(unit)

    def parse(text: str) -> float:
        value = not_negative(text)
        if not value:
            raise argparse.ArgumentTypeError(f"expected {unit}, a number above 0, got {text}")
        return value

    return parse


def thread_count(text: str) -> int:
    """An integer from 0 to 64."""
    if not text.isdecimal() or int(text) > 64:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 to 64, got {text}")
    return int(text)


def port(text: str) -> int:
    """A TCP port; 0 means any free one."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text}")
    return int(text)


def on_or_off(text: str) -> bool:
    """``on`` is True, ``off`` is False."""
    if text not in ("on", "off"):
        raise argparse.ArgumentTypeError(f"expected on or off, got {text}")
    return text == "on"


def one_of(kind: type[Enum]) -> Callable[[str], Enum]:
    """A member of ``kind``, by its value."""

    def parse(text: str) -> Enum:
        try:
            return kind(text)
        except ValueError:
            known = ", ".join(str(member.value) for member in kind)
            raise argparse.ArgumentTypeError(f"expected one of {known}; got {text}") from None

    return parse


def duration(unit: str) -> Callable[[str], float]:
    """A finite number of at least 0, in ``unit``."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"expected {unit}, a number from 0 up, got {text}")
        return value

    return parse
