"""The command that measures number formats: that it measures each of them."""

import numpy as np
import pytest

from benchmarks.profile import step_costs
from tests.number_kernel import number_formats


def test_every_number_format_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_formats, "ROWS", (1, 2))
    monkeypatch.setattr(step_costs, "SECONDS", 0.001)
    found = number_formats.measure(np.arange(2 * 784).reshape(2, 784).astype(np.uint8))
    assert len(found) == 9
    for costs in found.values():
        assert len(costs) == 2
        assert all(min(cost) > 0 for cost in costs)
