import ast
import sys
from pathlib import Path

import pytest

from tests.mutation import by_hand, mutants, run

SOURCE = '''
"""Not a call, and no number: 1."""


def over(limit: int = 3) -> bool:
    log.info("%d", 7)
    close()
    if not (a < limit and b):
        return x + 1
    return "é" in names
'''


def test_what_is_changed() -> None:
    found = list(mutants.of(Path("x.py"), SOURCE))
    assert {f"{one.old} -> {one.new}" for one in found} == {
        "3 -> 4",
        "close() -> pass",
        "not (a < limit and b) -> bool(a < limit and b)",
        "a < limit and b -> (a < limit) or (b)",
        "a < limit -> a <= limit",
        "return x + 1 -> return None",
        "x + 1 -> x - 1",
        "1 -> 2",
        'return "é" in names -> return None',
        "\"é\" in names -> 'é' not in names",
    }
    for mutant in found:
        changed = mutant.apply(SOURCE)
        assert changed != SOURCE
        ast.parse(changed)


@pytest.mark.parametrize("package", run.PACKAGES)
def test_every_change_can_be_made(package: str) -> None:
    for mutant in run.sample([package], 100, 1):
        ast.parse(mutant.apply((run.ROOT / mutant.path).read_text()))


def test_every_change_by_hand_can_be_made() -> None:
    changes = list(by_hand.mutants())
    assert len(changes) >= 6
    for mutant in changes:
        ast.parse(mutant.apply((run.ROOT / mutant.path).read_text()))


def test_which_test_noticed(tmp_path: Path) -> None:
    for test, noticed in (("assert True", ""), ("assert False", "test_x.py::test")):
        (tmp_path / "test_x.py").write_text(f"def test() -> None:\n    {test}\n")
        assert run._failed(tmp_path, [sys.executable, "-m", "pytest", "test_x.py"]) == noticed
