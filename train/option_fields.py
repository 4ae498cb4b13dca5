"""How an option is declared: a field of a dataclass, whose metadata are argparse's arguments."""

import argparse
from collections.abc import Callable
from dataclasses import field
from typing import Any


def option(
    group: str, parse: Callable[[str], Any], text: str, metavar: str | None = None, **more: Any
) -> Any:
    """Declare an option with a value, or with several if ``nargs`` is given.

    Without a default here, the preset has one.
    """
    argument = {"group": group, "type": parse, "help": text, "metavar": metavar}
    argument |= {key: more.pop(key, None) for key in ("choices", "nargs")}
    metadata = {key: value for key, value in argument.items() if value is not None}
    return field(metadata=metadata, **more)


def switch(group: str, text: str, **more: Any) -> Any:
    """Declare an option that is on or off."""
    action = argparse.BooleanOptionalAction
    return field(metadata={"group": group, "help": text, "action": action}, **more)
