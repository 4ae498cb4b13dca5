"""A small grid on a real server, its report, and what MLflow has of it."""

import json
import re
from pathlib import Path

import mlflow
import pytest
from hdrh.histogram import HdrHistogram

from benchmarks.load import golden_rows
from benchmarks.load.locust_process import Target
from benchmarks.report import grid_page, grid_plots, mlflow_run
from benchmarks.report.grid_report import Report
from benchmarks.run import grid
from benchmarks.run.grid import Grid
from benchmarks.run.grid_point import BUSY, Cell, Measured, Repeat
from benchmarks.system import affinity, servers
from bundle import reader
from tests import browser
from tests.conftest import ROOT, python_environment, run

SMALL = Grid(sizes=(1, 32), users=(2, 4), repeats=2, warm_up=0.3, measure=0.8)


@pytest.fixture(scope="module")
def report(repository: Path, work: Path) -> Report:
    cpus = affinity.halves()
    seen: list[str] = []
    with servers.ours(repository, workers=1, cpus=cpus.server) as server:
        target = Target(server.base, "mnist", work / "subset.npz")
        cells, meter = grid.measure(
            SMALL, target, cpus, server, lambda cell: seen.append(str(cell))
        )
        _, metadata = golden_rows.served(server.base, "mnist")
    assert meter
    there = ["no-op x 2", "no-op x 4", "1 x 2", "1 x 4", "32 x 2", "32 x 4"]
    assert seen == there + there[::-1]
    memory = [(sample.at - meter.samples[0].at, sample.memory) for sample in meter.samples]
    model = {"name": "mnist", **metadata["provenance"]}
    return Report("python -m benchmarks run", {"date": "today"}, model, cells, memory)


def test_what_was_measured(report: Report) -> None:
    for one in report.cells:
        assert one.errors == {}
        answered = sum(repeat.requests for repeat in one.repeats)
        assert one.latencies.get_total_count() == pytest.approx(answered, abs=4 * one.cell.users)
        assert one.percentiles[0].name == "p50"
        for repeat in one.repeats:
            assert repeat.failures == 0
            assert repeat.seconds > 0
            assert repeat.rows_per_second == pytest.approx(
                repeat.requests_per_second * one.cell.rows
            )
            assert repeat.generator_share > 0
            assert repeat.cpu_seconds_per_1000_rows
            assert repeat.cpu_seconds_per_1000_rows > 0
            assert repeat.peak_memory_mib
            assert repeat.peak_memory_mib > 30
    single, batch = report.cells[3], report.cells[5]
    assert (single.median("cpu_seconds_per_1000_rows") or 0) > 3 * (
        batch.median("cpu_seconds_per_1000_rows") or 0
    )


def test_written_and_drawn(report: Report, tmp_path: Path) -> None:
    report.write_json(tmp_path / "report.json")
    document = json.loads((tmp_path / "report.json").read_text())
    kept = HdrHistogram.decode(document["cells"][5]["latencies"])
    assert kept.get_total_count() == report.cells[5].latencies.get_total_count()
    assert document["model"]["run_id"] == report.model["run_id"]
    report.write_markdown(tmp_path / "report.md")
    lines = (tmp_path / "report.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    assert len(rows) == 7
    assert re.match(r"\| 32 x 4( \*)? \| [\d,]+ \| [\d,]+ \| \d+\.\d\d \(", rows[6])
    grid_page.write(report, tmp_path / "report.html")
    with browser.opened() as shown:
        requested: list[str] = []
        shown.on("request", lambda request: requested.append(request.url))
        faults: list[str] = []
        shown.on("pageerror", lambda error: faults.append(str(error)))
        shown.goto(f"file://{tmp_path}/report.html")
        shown.wait_for_selector(".js-plotly-plot .main-svg")
        assert shown.locator(".js-plotly-plot").count() == 4
        assert shown.locator("tbody tr").count() == 6
        assert "32 x 4" in shown.locator("tbody").inner_text()
        assert faults == []
        assert [url for url in requested if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.mark.usefixtures("tracked")
def test_logged_into_the_run_and_the_registry(
    report: Report, work: Path, repository: Path, tmp_path: Path
) -> None:
    for name in ("report.json", "report.md", "report.html", "other.txt"):
        (tmp_path / name).touch()
    reference = report.cells[5]
    told = mlflow_run.log(tmp_path, report.model, reference)
    manifest = reader.read(repository, "mnist", 1).manifest
    assert manifest
    assert manifest.run_id
    number = re.search(r"and its p99 to mnist version (\d+) of the registry", told)
    assert number
    metrics = mlflow.get_run(manifest.run_id).data.metrics
    p99 = next(one.milliseconds for one in reference.percentiles if one.name == "p99")
    assert metrics["load_p99_ms"] == p99
    assert metrics["load_rows_per_second"] == reference.median("rows_per_second")
    client = mlflow.MlflowClient()
    version = client.get_model_version("mnist", number[1])
    assert version.tags["load_p99_ms"] == f"{p99:.3f}"
    files = [item.path for item in client.list_artifacts(manifest.run_id, "load_test")]
    assert files == ["load_test/report.html", "load_test/report.json", "load_test/report.md"]
    done = run(
        *(ROOT / ".venv/bin/python", "-m", "train", "compare"),
        cwd=work,
        env=python_environment(COLUMNS="300"),
    )
    assert f"{p99:.2f}" in done.stdout
    assert "rows/s" in done.stdout


def measured(**figures: float) -> Measured:
    plain = {"requests": 900, "failures": 0, "seconds": 3.0, "rows_per_second": 300.0}
    plain |= {"requests_per_second": 300.0, "generator_share": 0.5, "drift": 0.0}
    optional = {"p99_ms": None, "cpu_seconds_per_1000_rows": None, "peak_memory_mib": None}
    return Measured(Cell(1, 1), [Repeat(**plain | optional | figures)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("figures", "faults"),
    [
        ({}, []),
        ({"failures": 2}, ["2 requests failed"]),
        ({"generator_share": BUSY + 0.01}, ["the load generator had no CPU left"]),
        ({"drift": -0.11}, ["not steady"]),
    ],
)
def test_what_does_not_count(figures: dict[str, float], faults: list[str]) -> None:
    assert measured(**figures).faults == faults


def test_the_knee_has_most_throughput_for_its_latency() -> None:
    assert grid_plots.knee([(100, 1.0), (190, 1.5), (200, 4.0)]) == (190, 1.5)
    assert grid_plots.knee([]) is None


def test_the_command_as_a_whole_says_what_is_missing(tmp_path: Path) -> None:
    command = (ROOT / ".venv/bin/python", "-m", "benchmarks", "run", "--models", tmp_path)
    done = run(*command, cwd=tmp_path, env=python_environment())
    assert done.returncode == 1
    assert done.stderr == (f"benchmarks: {tmp_path} has no model mnist: publish one (make model)\n")
    done = run(*command, "--host", "http://127.0.0.1:9", cwd=tmp_path, env=python_environment())
    assert done.returncode == 1
    assert done.stderr.startswith("benchmarks: http://127.0.0.1:9/v2/models/mnist: ")


@pytest.mark.parametrize(
    ("cores", "server", "load"),
    [
        ({3: "3"}, (3,), (3,)),
        ({0: "0", 1: "1"}, (0,), (1,)),
        ({0: "0-1", 1: "0-1"}, (0,), (1,)),  # one core: better two threads of it than one
        ({0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}, (0, 2), (1, 3)),
        (dict(zip(range(5), "01234", strict=True)), (0, 1), (2, 3, 4)),
    ],
)
def test_placing_shares_nothing_where_it_can(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    cores: dict[int, str],
    server: tuple[int, ...],
    load: tuple[int, ...],
) -> None:
    for cpu, siblings in cores.items():
        (tmp_path / f"cpu{cpu}/topology").mkdir(parents=True)
        (tmp_path / f"cpu{cpu}/topology/thread_siblings_list").write_text(siblings)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(cores))
    halves = affinity.halves(tmp_path)
    assert (halves.server, halves.generator) == (server, load)
    assert halves.apart == (server != load)
