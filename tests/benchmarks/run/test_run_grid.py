"""A small grid on a real server, its report, and what MLflow has of it."""

import io
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mlflow
import pytest
from hdrh.histogram import HdrHistogram
from rich.console import Console

from benchmarks import benchmark_arguments
from benchmarks.errors import BenchmarkError
from benchmarks.load import stats
from benchmarks.load.golden_rows import GoldenModel
from benchmarks.load.prepared_request import RequestPool
from benchmarks.load.protocols import Model
from benchmarks.load.stats import GENERATOR_LIMIT
from benchmarks.run import grid, grid_page, grid_plots, mlflow_run, run_grid
from benchmarks.run.grid import Grid, GridTarget
from benchmarks.run.grid_point import GridPoint, PointResult, Repeat
from benchmarks.run.grid_report import GridReport, cells
from bundle import reader
from tests import browser
from tests.conftest import ROOT, python_environment, run

SMALL = Grid(sizes=(32,), users=(2, 4), repeats=1, seconds=1)
POINTS = ["baseline x 2", "baseline x 4", "32 x 2", "32 x 4"]


@dataclass(frozen=True)
class Ran:
    """What the command left and printed."""

    folder: Path
    document: Path
    printed: str

    @property
    def points(self) -> list[dict[str, Any]]:
        points: list[dict[str, Any]] = json.loads((self.folder / "report.json").read_text())[
            "points"
        ]
        return points


@pytest.fixture(scope="module")
def ran(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """The command with a smaller grid than ``--quick`` has."""
    folder, usable = tmp_path_factory.mktemp("run"), os.sched_getaffinity(0)
    document = folder / "document.md"
    markers = ("run circumstances", "run")
    document.write_text("".join(f"<!-- {name} -->\n<!-- /{name} -->\n" for name in markers))
    console = Console(file=io.StringIO(), width=300)
    arguments = ["--models", str(repository), "--out", str(folder / "out"), "--quick"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "QUICK", SMALL)
        # The next test logs into MLflow, figures that do not depend on how busy this machine is.
        patch.setattr(mlflow_run, "log", lambda *_: "logged")
        run_grid.run(
            benchmark_arguments.parse(["run", *arguments, "--markdown", str(document)]), console
        )
    yield Ran(folder / "out", document, console.file.getvalue())  # type: ignore[attr-defined]
    os.sched_setaffinity(0, usable)


def test_every_point_is_measured(ran: Ran) -> None:
    assert len(ran.points) == len(POINTS)
    for document, name in zip(ran.points, POINTS, strict=True):
        point = GridPoint(**document["point"])
        assert str(point) == name
        for repeat in document["repeats"]:
            latencies = HdrHistogram.decode(repeat["latencies"])
            assert latencies.get_total_count() == repeat["requests"] > 0
            assert repeat["failures"] == 0
            assert repeat["cpu_seconds"] >= 0
            assert repeat["memory_mib"] > 30
            assert repeat["generator_share"] > 0
    # The system counts in ticks of 0.01 s, which a single repeat may not reach.
    assert sum(repeat["cpu_seconds"] for one in ran.points for repeat in one["repeats"]) > 0


def test_the_report_and_the_document_have_the_table(ran: Ran) -> None:
    for file, lines in ((ran.folder / "report.md", 5), (ran.document, 6)):
        rows = [line for line in file.read_text().splitlines() if line.startswith("| ")]
        assert len(rows) == lines
        assert re.match(r"\| 32 x 4( \*)? \| [\d,]+ \| [\d,]+ \| (\d+\.\d\d \(|–)", rows[-1])
    assert "placement: " in ran.document.read_text()
    assert f"wrote {ran.folder}/report.json, " in ran.printed


def test_the_page_draws_the_plots(ran: Ran) -> None:
    with browser.opened() as shown:
        requested: list[str] = []
        shown.on("request", lambda request: requested.append(request.url))
        errors: list[str] = []
        shown.on("pageerror", lambda error: errors.append(str(error)))
        shown.goto(f"file://{ran.folder}/report.html")
        shown.wait_for_selector(".js-plotly-plot .main-svg")
        assert shown.locator(".js-plotly-plot").count() == 3
        assert shown.locator("tbody tr").count() == 4
        assert "32 x 4" in shown.locator("tbody").inner_text()
        assert errors == []
        assert [url for url in requested if not url.startswith(("file:", "data:", "blob:"))] == []


REFERENCE = GridPoint(32, 4)


def result(point: GridPoint = REFERENCE, **figures: Any) -> PointResult:
    """Two repeats with 1,000 answers each, of 2 ms and of 4 ms."""
    repeats = []
    for milliseconds in (2, 4):
        latencies = stats.histogram()
        latencies.record_value(milliseconds * 1000, 1000)
        plain = Repeat(1000, 0, 2.0, 0.5, latencies, cpu_seconds=0.32, memory_mib=100.0)
        repeats.append(replace(plain, **figures))
    return PointResult(point, repeats)


def test_figures_are_medians_with_their_spread() -> None:
    one = result()
    assert (one.requests_per_second, one.rows_per_second) == (500, 16_000)
    assert one.cpu_seconds_per_1000_rows == pytest.approx(0.01)
    assert list(one.percentiles) == [0.5, 0.9, 0.95, 0.99]
    assert cells(one)[:7] == ["32 x 4", "500", "16,000", *["3.00 (2.00 to 4.00)"] * 4]
    assert cells(one)[7:] == ["–", "0.0100", "100", "2,000", "50%", ""]
    unknown = result(cpu_seconds=None, memory_mib=None)
    assert cells(unknown)[8:10] == ["", ""]


@pytest.mark.parametrize(
    ("figures", "faults"),
    [
        ({}, []),
        ({"failures": 2}, ["4 requests failed"]),
        ({"generator_share": GENERATOR_LIMIT + 0.01}, ["the load generator had no CPU left"]),
    ],
)
def test_figures_that_do_not_count(figures: dict[str, Any], faults: list[str]) -> None:
    one = result(**figures)
    assert one.faults == faults
    assert cells(one)[0] == "32 x 4" + " *" * bool(faults)


def test_the_order_of_points_alternates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "_check_answers", lambda *_: None)
    monkeypatch.setattr(grid, "_repeat", lambda *_: None)
    order: list[str] = []
    target = GridTarget("", RequestPool(Model("", {}, []), None), (), None)  # type: ignore[arg-type]
    grid.measure(replace(SMALL, repeats=3), target, lambda point: order.append(str(point)))
    assert order == [*POINTS, *reversed(POINTS), *POINTS]


def test_points() -> None:
    assert [str(point) for point in SMALL.points()] == POINTS
    assert SMALL.reference in SMALL.points()


def test_the_knee_has_the_most_throughput_for_its_latency() -> None:
    assert grid_plots.knee([(100, 1.0), (190, 1.5), (200, 4.0)]) == (190, 1.5)
    assert grid_plots.knee([]) is None


@pytest.mark.usefixtures("tracked")
def test_logged_into_the_run_and_the_registry(
    work: Path, repository: Path, tmp_path: Path, golden: GoldenModel
) -> None:
    manifest = reader.read_version(repository, "mnist", 1).manifest
    assert manifest
    assert manifest.run_id
    model = {"name": "mnist", "version": 1, "created": manifest.created, "files": manifest.files}
    model |= {"run_id": manifest.run_id}
    report = GridReport({}, model, [result(), result(GridPoint(1, 4))])
    grid_page.write(report, tmp_path / "report.html")
    for name in ("report.json", "report.md", "other.txt"):
        (tmp_path / name).touch()
    outcome = mlflow_run.log(tmp_path, model, report.results[0])
    number = re.search(r"and its p99 to mnist version (\d+) of the registry", outcome)
    assert number
    metrics = mlflow.get_run(manifest.run_id).data.metrics
    assert metrics["load_p99_ms"] == pytest.approx(3, rel=1e-3)
    assert metrics["load_rows_per_second"] == 16_000
    assert metrics["load_memory_mib"] == 100
    client = mlflow.MlflowClient()
    tag = client.get_model_version("mnist", number[1]).tags["load_p99_ms"]
    assert float(tag) == pytest.approx(3, rel=1e-3)
    logged = [item.path for item in client.list_artifacts(manifest.run_id, "load_test")]
    assert logged == ["load_test/report.html", "load_test/report.json", "load_test/report.md"]
    command = (ROOT / ".venv/bin/python", "-m", "train", "compare")
    done = run(*command, cwd=work, env=python_environment(COLUMNS="300"))
    assert "3.00" in done.stdout
    assert "16,000" in done.stdout


def test_wrong_answers_are_an_error(host: str, golden: GoldenModel) -> None:
    scores = {name: 1 - array for name, array in golden.rows.outputs.items()}
    pool = RequestPool(golden.model, replace(golden.rows, outputs=scores))
    target = GridTarget(host, pool, (), None)
    with pytest.raises(BenchmarkError, match="wrongly: 32 of 32 rows are wrong"):
        grid.measure(SMALL, target, lambda _: None)


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    command = (ROOT / ".venv/bin/python", "-m", "benchmarks", "run", "--models", tmp_path)
    done = run(*command, cwd=tmp_path, env=python_environment())
    assert done.returncode == 1
    assert done.stderr == f"benchmarks: {tmp_path} has no model mnist: publish one (make model)\n"
    done = run(*command, "--host", "http://127.0.0.1:9", cwd=tmp_path, env=python_environment())
    assert done.returncode == 1
    assert done.stderr.startswith("benchmarks: http://127.0.0.1:9/v2/models/mnist: ")
    done = run(*command, "--out", "/proc/nowhere", cwd=tmp_path, env=python_environment())
    assert done.returncode == 1
    assert done.stderr == "benchmarks: /proc/nowhere: No such file or directory\n"
