"""docs/reference/commands.md: every command and its options."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from unittest import mock

from benchmarks import benchmark_arguments
from docs.generate.markdown import code, page, table
from export import export_arguments
from train import run_arguments
from train.baseline import baseline_arguments
from train.compare import compare_arguments
from train.sweep import sweep_arguments

Parse = Callable[[list[str]], object]
_INTRODUCTION = """\
Every command is run from the root of the repository: `.venv-serve/bin/python -m serve`, all
others as `.venv/bin/python -m …`. Each prints these options with `--help`. Exit status: 0 for
success, 1 for a failure with its reason in one line, 2 for wrong options, 130 after Ctrl-C."""
_SERVE = """\
`python -m serve` serves. `serve check`, `serve predict FILE` and `serve health` take the same
options, which [settings.md](settings.md) lists."""


def write() -> str:
    """The page."""
    parts = [_INTRODUCTION]
    for words, parse in _commands():
        parser = _parser(parse, words[1:])
        parts += [f"## {' '.join(words)}", _sentence(parser)]
        parts += [*_groups(parser)]
    return page("Commands", *parts, "## serve", _SERVE)


def _commands() -> Iterator[tuple[list[str], Parse]]:
    yield ["train"], run_arguments.parse
    yield ["train", "sweep"], lambda argv: sweep_arguments.parse(argv[1:])
    yield ["train", "compare"], lambda argv: compare_arguments.parse(argv[1:])
    yield ["train", "baseline"], lambda argv: baseline_arguments.parse(argv[1:])
    yield ["export"], export_arguments.parse
    for name in export_arguments.COMMANDS:
        yield ["export", name], export_arguments.parse
    for name in benchmark_arguments.COMMANDS:
        yield ["benchmarks", name], benchmark_arguments.parse


def _parser(parse: Parse, words: list[str]) -> argparse.ArgumentParser:
    """The parser that prints the help of a command."""
    with (
        mock.patch.object(argparse.ArgumentParser, "print_help", autospec=True) as shown,
        suppress(SystemExit),
    ):
        parse([*words, "--help"])
    parser: argparse.ArgumentParser = shown.call_args.args[0]
    return parser


def _sentence(parser: argparse.ArgumentParser) -> str:
    text = " ".join((parser.description or "").split())
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _groups(parser: argparse.ArgumentParser) -> Iterator[str]:
    """A table for each group of options, with the group's title if it has one of its own."""
    for group in parser._action_groups:
        rows = [_row(parser, action) for action in group._group_actions if action.dest != "help"]
        if not rows:
            continue
        if group.title not in ("positional arguments", "options"):
            yield f"**{(group.title or '').capitalize()}**"
        yield table(("argument", "meaning"), rows)


def _row(parser: argparse.ArgumentParser, action: argparse.Action) -> tuple[str, str]:
    names = ", ".join(action.option_strings) or str(action.metavar or action.dest)
    if action.option_strings and action.nargs != 0:
        names += f" {_metavar(action)}"
    formatter = parser.formatter_class(prog=parser.prog, width=sys.maxsize)
    return code(names), formatter._expand_help(action)


def _metavar(action: argparse.Action) -> str:
    if action.choices and action.metavar is None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return str(action.metavar or action.dest.upper())
