"""The cost of an answer in process and over HTTP: that what is measured is what is named."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.fixtures import identity_model
from benchmarks.load import golden_rows
from benchmarks.load.protocols import DIALECTS, Model, Request
from benchmarks.profile import number_formats, served_cost, step_costs
from benchmarks.profile.profile_requests import Cost, table
from benchmarks.profile.step_costs import Steps
from benchmarks.system import servers


@pytest.fixture
def request_of_8(work: Path) -> Request:
    sent = golden_rows.read(work / "subset.npz").some(8, 0)
    return DIALECTS["oip-bytes"].request(sent.images, Model())


def test_steps_of_a_request(repository: Path, request_of_8: Request) -> None:
    within = step_costs.measure(repository, "mnist", request_of_8, 8)
    assert min(within.parse, within.run, within.render) > 0
    assert within.whole > max(within.parse, within.run, within.render)


def test_every_notation_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_formats, "ROWS", (1, 2))
    monkeypatch.setattr(step_costs, "SECONDS", 0.001)
    found = number_formats.measure(np.arange(2 * 784).reshape(2, 784).astype(np.uint8))
    assert len(found) == 9
    for costs in found.values():
        assert len(costs) == 2
        assert all(min(cost) > 0 for cost in costs)


def test_another_request_than_was_meant_is_refused(repository: Path, request_of_8: Request) -> None:
    with pytest.raises(BenchmarkError, match="infer in process: 8 rows came instead of 9"):
        step_costs.measure(repository, "mnist", request_of_8, 9)


def test_a_model_that_does_nothing(tmp_path: Path) -> None:
    identity_model.publish(tmp_path)
    with servers.ours(tmp_path, "--default-model", identity_model.NAME, workers=1) as server:
        over_http = served_cost.measure(server, identity_model.REQUEST, 1)
    within = step_costs.measure(tmp_path, identity_model.NAME, identity_model.REQUEST, 1)
    assert over_http > within.whole > 0


def test_the_parts_of_a_line_add_up() -> None:
    within = Steps(parse=10, by_simdjson=15, run=20, render=5, whole=40)
    assert within.rest == 5
    shown = table([Cost("oip", 8, within, 200)], http=100)
    cells = [next(iter(column.cells)) for column in shown.columns]
    assert cells[:1] == ["oip x 8"]
    assert cells[1:7] == ["15.0", "10.0", "20.0", "5.0", "5.0", "40.0"]
    assert cells[7:] == ["100.0", "60.0", "200.0", "5.00", "25.00"]
