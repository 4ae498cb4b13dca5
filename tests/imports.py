"""Which of our modules import which, read from the source."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent


def modules(part: str) -> dict[str, Path]:
    """Name and file of each module below a top-level folder."""
    found = {}
    for path in sorted((ROOT / part).rglob("*.py")):
        names = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(names[:-1] if names[-1] == "__init__" else names)] = path
    return found


def imported(path: Path) -> Iterator[str]:
    """The dotted name of everything that a file imports, also inside functions.

    ``from a import b`` gives ``a.b``: the name does not tell whether ``b`` is a module.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            assert node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_imports(part: str) -> dict[str, set[str]]:
    """Each module of a part, and the modules of the same part that it imports."""
    known = modules(part)
    graph = {}
    for name, path in known.items():
        # The last part of a name may be a function; an import of the whole part says nothing.
        found = {one if one in known else one.rpartition(".")[0] for one in imported(path)}
        graph[name] = (found & known.keys()) - {name, part}
    return graph


def foreign(part: str) -> set[str]:
    """The top-level packages that a part imports."""
    return {name.partition(".")[0] for path in modules(part).values() for name in imported(path)}


def against_direction(part: str, layers: Sequence[str]) -> set[str]:
    """Imports that point upwards, as ``importer -> imported``.

    Args:
        part: top-level folder.
        layers: packages and modules of the part from top to bottom; a module belongs to the longest
            of these names that it begins with. Several names in one string are one layer.

    """
    rank = {name: index for index, layer in enumerate(layers) for name in layer.split()}

    def of(module: str) -> int:
        while module not in rank:
            module = module.rpartition(".")[0]
        return rank[module]

    return {
        f"{importer} -> {module}"
        for importer, found in module_imports(part).items()
        for module in found
        if of(module) < of(importer)
    }


def cycles(part: str) -> list[set[str]]:
    """Sets of modules of a part that import one another, directly or by others."""
    graph = module_imports(part)
    reached = {module: _reached(graph, module) for module in graph}
    loops = {
        frozenset(other for other in reached[module] if module in reached[other])
        for module in reached
        if module in reached[module]
    }
    return [set(loop) for loop in sorted(loops, key=sorted)]


def _reached(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting += new
    return found
