"""The cost of a request in process and over HTTP: what is measured is what its name says."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import benchmark_arguments
from benchmarks.errors import BenchmarkError
from benchmarks.load import prepared_request
from benchmarks.load.golden_rows import GoldenModel
from benchmarks.load.protocols import PROTOCOLS
from benchmarks.load.shapes import SHAPES
from benchmarks.profile import profile_requests, step_costs
from benchmarks.profile.profile_requests import Cost
from benchmarks.profile.step_costs import Steps


@pytest.mark.usefixtures("no_warm_up")
def test_the_whole_command(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(profile_requests, "PROTOCOLS", {"oip": PROTOCOLS["oip"]})
    monkeypatch.setattr(profile_requests, "SHAPES", SHAPES[:2])
    document = tmp_path / "benchmarks.md"
    markers = ("profile circumstances", "profile")
    document.write_text("".join(f"<!-- {name} -->\nold\n<!-- /{name} -->\n" for name in markers))
    arguments = ["--models", str(repository), "--quick", "--rounds", "1", "--seconds", "1"]
    chosen = benchmark_arguments.parse(["profile", *arguments, "--markdown", str(document)])
    profile_requests.run(chosen, Console(file=io.StringIO()))
    assert "One worker and one connection" in capsys.readouterr().out
    rows = [
        line.split(" | ")
        for line in document.read_text().splitlines()
        if line.startswith("| oip x ")
    ]
    assert [row[0] for row in rows] == ["| oip x 1", "| oip x 32"]
    column = {name: place for place, name in enumerate(profile_requests.HEAD)}
    for row in rows:
        assert float(row[column["total"]]) > float(row[column["in process"]]) > 0
    with pytest.raises(BenchmarkError, match=r"nowhere\.md is not a file"):
        profile_requests.run(
            benchmark_arguments.parse(["profile", "--markdown", str(tmp_path / "nowhere.md")]),
            Console(),
        )


def test_the_steps_of_a_request(repository: Path, golden: GoldenModel) -> None:
    request = prepared_request.prepare("oip-binary", golden.model, golden.rows, 8).request
    steps = step_costs.measure(repository, "mnist", request, 8)
    assert min(steps.parse, steps.run, steps.render, steps.by_simdjson) > 0
    assert steps.whole > max(steps.parse, steps.run, steps.render)
    with pytest.raises(BenchmarkError, match="8 rows were parsed instead of 9"):
        step_costs.measure(repository, "mnist", request, 9)


def test_the_parts_of_a_line_add_up() -> None:
    steps = Steps(parse=10, by_simdjson=15, run=20, render=5, whole=40)
    line = profile_requests.row(Cost("oip", 8, steps, 200), http=100)
    assert dict(zip(profile_requests.HEAD, line, strict=True)) == {
        "request": "oip x 8",
        "parse": "10.0",
        "inference": "20.0",
        "render": "5.0",
        "rest": "5.0",
        "in process": "40.0",
        "HTTP": "100.0",
        "transfer": "60.0",
        "total": "200.0",
        "total / in process": "5.00",
        "total per row": "25.00",
        "parse by simdjson": "15.0",
    }
