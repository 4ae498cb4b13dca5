"""Settings of runs beside each other: that each is measured, and which gain is asked for."""

from pathlib import Path

import onnx
from rich.table import Table

from benchmarks.fixtures import heavy_model
from benchmarks.load.rounds import Measurement
from benchmarks.regress import batching
from benchmarks.regress.batching import PLAIN, VARIANTS


def test_each_variant_is_measured(repository: Path) -> None:
    steps: list[object] = []
    measured = batching.compare(repository, 1, 1, steps.append)
    assert list(measured) == list(VARIANTS)
    assert len(steps) == len(VARIANTS)
    assert all(one.rows_per_second > 10 for (one,) in measured.values())


def test_a_heavy_model_is_to_gain() -> None:
    def rows(rate: float) -> list[Measurement]:
        return [Measurement(rows_per_second=rate, cpu_per_row=1, p99=1, shares=(1,))]

    measured = {PLAIN: rows(100), "shared runs": rows(250), "one thread, shared runs": rows(150)}
    for what, verdicts in (
        ("small", ["", "", ""]),
        ("heavy", ["", "rows/s >= 2: pass", "rows/s >= 2: [bold]falls short[/]"]),
    ):
        table = Table(*"abcdefg")
        batching.add_rows(table, what, measured)
        assert list(table.columns[3].cells) == ["1.00", "2.50", "1.50"]
        assert list(table.columns[6].cells) == verdicts


def test_the_heavy_model_is_one(tmp_path: Path) -> None:
    heavy_model.publish(tmp_path)
    file = tmp_path / "heavy/1/model.onnx"
    assert 2.2e8 < file.stat().st_size < 2.4e8
    onnx.checker.check_model(str(file))
