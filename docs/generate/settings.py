"""docs/reference/settings.md: the settings of the server."""

import dataclasses

from docs.generate.markdown import code, page, table
from serve import command_line
from serve.settings import GROUPS, Settings

_INTRODUCTION = """\
Each setting is an option of `python -m serve` and an environment variable. The option takes
precedence over the variable, and the variable over the default. [tuning.md](../tuning.md)
explains which ones to change."""


def write() -> str:
    """The page."""
    fields = {field.name: field for field in dataclasses.fields(Settings)}
    parts = []
    for purpose, names in GROUPS.items():
        rows = [_row(fields[name]) for name in names]
        parts += [f"## {purpose.capitalize()}", table(_HEAD, rows)]
    return page("Settings of the server", _INTRODUCTION, *parts)


_HEAD = ("option", "environment variable", "default", "meaning", "reason for the default")


def _row(field: dataclasses.Field[object]) -> tuple[str, ...]:
    return (
        code(command_line.flag(field.name)),
        code(command_line.variable(field.name)),
        command_line.shown(field.default),
        field.metadata["help"],
        field.metadata["reason"],
    )
