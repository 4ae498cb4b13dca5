"""The names of columns in a request, which must be those of all features."""

from collections import Counter
from collections.abc import Sequence

from serve.errors import BadRequest, quoted
from serve.models.table_spec import TableSpec

_LONGEST_LIST = 200  # characters


def check(names: Sequence[str], spec: TableSpec, where: str) -> None:
    """Refuse names that are not those of all features, in any order.

    Raises:
        BadRequest: one is missing, unknown or there twice.

    """
    check_count(len(names), spec, where)
    if sorted(names) != sorted(spec.names):
        raise BadRequest(f"{where}: {difference(names, spec)}")


def check_count(count: int, spec: TableSpec, where: str) -> None:
    """Refuse so many columns that it would take long to say which are wrong.

    Raises:
        BadRequest: there are more than twice as many as features.

    """
    expected = len(spec.names)
    if count > 2 * expected:
        raise BadRequest(f"{where}: expected {expected} columns, got {count}")


def difference(names: Sequence[str], spec: TableSpec) -> str:
    """The first thing that is wrong with the names of columns."""
    counts = Counter(names)
    for name in counts:
        if name not in spec.positions:
            return f"there is no column {quoted(name)}; expected {_list(spec.names)}"
    for name in spec.names:
        if not counts[name]:
            return f"the column {name} is missing"
    return f"the column {counts.most_common(1)[0][0]} is there twice"


def _list(names: Sequence[str]) -> str:
    whole = ", ".join(names)
    return whole if len(whole) <= _LONGEST_LIST else f"{whole[:_LONGEST_LIST]}… ({len(names)})"
