"""Plans of sweeps: TOML files with the runs to make, in ``train/plans/`` or elsewhere."""

import itertools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train import run_options
from train.errors import TrainError
from train.sweep.search_space import Parameter, read_space, varied

FOLDER = Path(__file__).parent.parent / "plans"
_KEYS = ("options", "runs", "search", "seeds")


@dataclass(frozen=True)
class Plan:
    """A list of runs, or a search."""

    name: str
    text: str
    """The content of its file."""
    options: Mapping[str, Any]
    """Options of every run, by name."""
    runs: Mapping[str, Mapping[str, Any]]
    """The options of each run by its name; empty in a search."""
    seeds: int
    """How many runs with different seeds are made of each."""
    space: Mapping[str, Parameter]
    """The search space."""
    trials: int
    """Number of trials of the search."""


def names() -> list[str]:
    """Names of the plans in ``train/plans/``."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read(name: str) -> Plan:
    """Read a plan by its name, or by the path of its file.

    Raises:
        TrainError: there is no such plan, or it is invalid.

    """
    path = FOLDER / f"{name}.toml" if name in names() else Path(name)
    try:
        text = path.read_text()
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise TrainError(
            f"plan {name}: {reason}; expected one of {', '.join(names())}, or a TOML file"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise TrainError(f"plan {name}: {error}") from None
    try:
        return _plan(path.stem, text, document)
    except ValueError as error:
        raise TrainError(f"plan {name}: {error}") from None


def _plan(name: str, text: str, document: dict[str, Any]) -> Plan:
    if unknown := document.keys() - set(_KEYS):
        raise ValueError(f"unknown key {', '.join(sorted(unknown))}; expected {', '.join(_KEYS)}")
    if ("runs" in document) == ("search" in document):
        raise ValueError("expected either [[runs]] or [search]")
    if "search" in document and "seeds" in document:
        raise ValueError("seeds can only be used with [[runs]]; a search has one seed")
    space, trials = _search(document["search"]) if "search" in document else ({}, 0)
    return Plan(
        name=name,
        text=text,
        options=run_options.checked(_table("[options]", document.get("options", {}))),
        runs=_runs(document.get("runs", [])),
        seeds=_count("seeds", document.get("seeds", 1)),
        space=space,
        trials=trials,
    )


def _search(search: Any) -> tuple[dict[str, Parameter], int]:
    if not isinstance(search, dict) or search.keys() != {"space", "trials"}:
        raise ValueError("[search] must have trials and space, and nothing else")
    space = read_space(_table("[search.space]", search["space"]))
    if not space:
        raise ValueError("[search.space] is empty")
    return space, _count("trials", search["trials"])


def _runs(document: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(document, list):
        raise ValueError("[[runs]] must be a list of tables")
    runs: dict[str, dict[str, Any]] = {}
    for number, run in enumerate(document, 1):
        name, values = _run(number, _table(f"run {number}", run))
        if name in runs:
            raise ValueError(f"two runs have the name {name!r}")
        runs[name] = values
    return runs


def _run(number: int, run: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    values = dict(run)
    name = values.pop("name", None)
    if not isinstance(name, str) or not name:
        raise ValueError(f"run {number} has no name")
    try:
        return name, varied(values)
    except ValueError as error:
        raise ValueError(f"run {name!r}: {error}") from None


def _table(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {value!r}; expected a table")
    return value


def _count(name: str, value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"{name} is {value!r}; expected a whole number of at least 1")
    return value


def repeated(plan: Plan, seed: int) -> list[tuple[str, int]]:
    """Name and seed of each run, grouped by seed."""
    return [(name, s) for s, name in itertools.product(range(seed, seed + plan.seeds), plan.runs)]
