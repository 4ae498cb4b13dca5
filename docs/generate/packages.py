"""The packages of a part, and which of them import which."""

import ast
import graphlib

from tests import imports

BASE = "base modules"
"""Modules of a part that lie outside of its packages."""


def graph(part: str) -> dict[str, set[str]]:
    """Each package of a part, and the packages that it imports.

    Modules outside any package count as one, named ``BASE``, except ``__main__`` and others that
    start the part: nothing is built on them.
    """
    modules = imports.module_imports(part)
    of = {name: _package(name) for name in modules if name != part}
    starts = _entry_points(modules)
    found: dict[str, set[str]] = {
        package: set() for name, package in of.items() if name not in starts
    }
    for name, imported in modules.items():
        if name in of and name not in starts:
            found[of[name]] |= {of[other] for other in imported} - {of[name]}
    return found


def _package(name: str) -> str:
    part, package, *_ = name.split(".")
    return package if (imports.ROOT / part / package).is_dir() else BASE


def _entry_points(modules: dict[str, set[str]]) -> set[str]:
    """Modules outside any package that nothing imports, and those that only these import."""
    outside = {name for name in modules if name.count(".") == 1 and _package(name) == BASE}
    importers = {
        name: {one for one, imported in modules.items() if name in imported} for name in outside
    }
    starts: set[str] = set()
    while more := {name for name in outside if importers[name] <= starts} - starts:
        starts |= more
    return starts


def without_detours(found: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same without imports that a longer way implies: the fewest arrows that say it all."""
    return {
        package: {
            one
            for one in direct
            if not any(one in reached(found, other) for other in direct - {one})
        }
        for package, direct in found.items()
    }


def reached(found: dict[str, set[str]], start: str) -> set[str]:
    """Every package that ``start`` imports, directly or through others."""
    seen: set[str] = set()
    waiting = [*found[start]]
    while waiting:
        package = waiting.pop()
        if package not in seen:
            seen.add(package)
            waiting += found[package]
    return seen


def levels(found: dict[str, set[str]]) -> list[list[str]]:
    """The packages in rows from top to bottom; each imports only packages of lower rows.

    Raises:
        graphlib.CycleError: packages import one another.

    """
    height: dict[str, int] = {}
    for package in graphlib.TopologicalSorter(found).static_order():
        height[package] = 1 + max((height[one] for one in found[package]), default=-1)
    rows = [sorted(p for p in found if height[p] == row) for row in range(max(height.values()) + 1)]
    return rows[::-1]


def summary(path: str) -> str:
    """What the docstring of a package says first, without its command and its full stop."""
    text = (imports.ROOT / path / "__init__.py").read_text()
    first = (ast.get_docstring(ast.parse(text)) or "").splitlines()[0].rstrip(".")
    said = first.rpartition("``: ")[2]
    return said[:1].upper() + said[1:]
