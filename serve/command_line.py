"""Reads the command and the settings from the command line and the environment.

A value comes from the command line, else from the environment (``SERVE_PORT`` for ``--port``),
else from the default.
"""

import argparse
import dataclasses
import enum
from collections.abc import Mapping, Sequence
from typing import Any

from serve.settings import GROUPS, Settings

_COMMANDS = ("serve", "check", "predict", "health")


def flag(name: str) -> str:
    """The command-line option of a setting."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return "SERVE_" + name.upper()


def shown(default: Any) -> str:
    """A default value as text for the command line."""
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, enum.Enum):
        return str(default.value)
    return "" if default is None else str(default)


def _given(name: str, environ: Mapping[str, str]) -> str | None:
    """The variable of a setting. In a pipeline, SageMaker has one of its own for the port."""
    return environ.get(variable(name)) or (
        environ.get("SAGEMAKER_BIND_TO_PORT") if name == "port" else None
    )


def load(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read the settings. An invalid one ends the process with status 2."""
    return load_command(argv, environ)[2]


def load_command(argv: Sequence[str], environ: Mapping[str, str]) -> tuple[str, str, Settings]:
    """Read the command, the file argument of ``predict`` (else empty), and the settings."""
    command, rest = ("serve", argv)
    if argv and argv[0] in _COMMANDS:
        command, rest = argv[0], argv[1:]
    parser = _parser(environ)
    parser.set_defaults(file="")
    if command == "predict":
        parser.add_argument("file", metavar="FILE", help="a request body; - for standard input")
    given = vars(parser.parse_args(rest))
    return command, given.pop("file"), Settings(**given)


class _Version(argparse.Action):
    """Prints versions and ends the process. It looks them up only if they are asked for."""

    def __call__(self, *_: Any) -> None:
        from serve import version

        print(version.text())
        raise SystemExit(0)


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m serve",
        usage="%(prog)s [serve | check | predict FILE | health] [options]",
        allow_abbrev=False,  # an abbreviation may mean another option in the next release
        description="serve: serve the published models over HTTP. check: load and test them, and"
        " print what they are. predict: answer the request body in FILE (- for standard input)"
        " without HTTP. health: ask the server on this machine whether it is ready. Every option"
        " can also be set in the environment, for example SERVE_PORT for --port.",
    )
    parser.add_argument(
        "--version",
        nargs=0,
        action=_Version,
        dest=argparse.SUPPRESS,
        help="print the version of the server and of its main packages",
    )
    fields = {setting.name: setting for setting in dataclasses.fields(Settings)}
    for purpose, names in GROUPS.items():
        group = parser.add_argument_group(purpose)
        for name in names:
            _add_option(group, fields[name], _given(name, environ))
    return parser


def _add_option(
    group: argparse._ArgumentGroup, setting: dataclasses.Field[Any], given: str | None
) -> None:
    default = f" (default: {shown(setting.default)})" if setting.default is not None else ""
    group.add_argument(
        flag(setting.name),
        type=setting.metadata["parse"],
        # argparse parses a default that is a string like a given value. An empty variable
        # counts as unset, because ${NAME:-} in a compose file results in one.
        default=given or setting.default,
        help=setting.metadata["help"] + default,
        metavar=setting.name.rpartition("_")[2].upper(),
    )
