"""Short forms of the faults; ``python -m tests.reliability faults`` lets them last."""

from pathlib import Path

import pytest

from tests.reliability import faults
from tests.reliability.stage import play, stage


@pytest.mark.parametrize("name", faults.ALL)
def test_fault(name: str, swapped_repository: Path) -> None:
    with stage(swapped_repository, long=False) as on:
        report = play(faults.ALL[name].act, on)
    assert report.wrong == []
    assert len(report.failed) <= report.may_fail, report.failed
