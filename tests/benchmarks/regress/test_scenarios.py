"""Each scenario once, for a moment, on real servers."""

import io
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from rich.console import Console

from benchmarks import benchmark_arguments
from benchmarks.errors import BenchmarkError
from benchmarks.fixtures import heavy_model
from benchmarks.load.protocols import PROTOCOLS
from benchmarks.load.rounds import Measurement
from benchmarks.load.shapes import SHAPES, Shape
from benchmarks.peers import peer_environment
from benchmarks.regress import check_regressions, ratios, reference, scenarios, under_load
from benchmarks.regress.bench import Bench
from benchmarks.regress.metrics import TARGETS, Result
from benchmarks.regress.overload import overload
from benchmarks.system.affinity import Affinity
from benchmarks.system.prober import Prober
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def bench(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Short loads, and a heavy model that is not so heavy."""
    heavy = tmp_path_factory.mktemp("heavy")
    heavy_model.publish(heavy, units=2048)
    onnx.checker.check_model(str(heavy / "heavy/1/model.onnx"))
    return Bench(repository, 1, 1, 1 / 30, lambda _: None, heavy_models=heavy)


pytestmark = pytest.mark.usefixtures("no_warm_up")


@pytest.fixture(autouse=True)
def _fastapi(monkeypatch: pytest.MonkeyPatch) -> None:
    """This environment has FastAPI as well."""
    monkeypatch.setattr(peer_environment, "install", lambda *_: None)
    monkeypatch.setattr(peer_environment, "folder", lambda _: ROOT / ".venv")


def by_key(results: list[Result]) -> dict[str, Result]:
    found = {one.key: one for one in results}
    assert len(found) == len(results)
    assert all(one.value >= 0 for one in results)
    return found


def targets(prefix: str) -> set[str]:
    """Keys of all targets of the scenarios that begin so."""
    return {
        f"{name}: {metric}"
        for name in TARGETS
        if name.startswith(prefix)
        for metric in TARGETS[name]
    }


def test_ratios_to_fastapi_and_their_reference(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The whole command: a reference of three runs, and another run beside it."""
    monkeypatch.setattr(reference, "FILE", tmp_path / "reference.json")
    monkeypatch.setattr(check_regressions, "LEAST_RUNS", 3)
    monkeypatch.setattr(check_regressions, "COMPARED", ("fastapi",))
    monkeypatch.setattr(ratios, "SHAPES", (Shape(8, 2),))
    common = ["regress", "--models", str(repository), "--rounds", "1", "--seconds", "1"]

    def run(*arguments: str) -> str:
        chosen = benchmark_arguments.parse([*common, *arguments])
        check_regressions.run(chosen, Console(file=io.StringIO()))
        return capsys.readouterr().out

    assert "runs. Compared with the others" in run("--calibrate", "3")
    kept = reference.read()
    assert {
        "onnxlet / FastAPI, 8 x 2: CPU per row",
        "onnxlet / in process, 8 x 2: CPU per row",
    } <= (set(kept.runs))
    assert {len(values) for values in kept.runs.values()} == {3}
    printed = run("--scenario", "fastapi")
    assert "onnxlet / FastAPI, 8 x 2" in printed
    assert "changed" in printed  # something, or nothing
    monkeypatch.undo()
    with pytest.raises(BenchmarkError, match="--calibrate: expected at least 5 runs"):
        run("--calibrate", "4")


def test_the_committed_reference_is_of_what_is_measured() -> None:
    kept = reference.read()
    shapes = [str(shape) for shape in SHAPES]
    assert {key.rpartition(", ")[2].partition(":")[0] for key in kept.runs} <= set(shapes)
    assert targets("onnxlet / FastAPI") <= set(kept.runs) or not kept.runs
    for values in kept.runs.values():
        assert len(values) >= reference.LEAST_RUNS
        assert min(values) > 0


def test_ratios_of_protocols(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    some = {name: PROTOCOLS[name] for name in ("predict", "oip", "oip-binary")}
    monkeypatch.setattr(ratios, "PROTOCOLS", some)
    found = by_key(scenarios.measure(bench, ["protocols"]))
    assert targets("oip / ") <= set(found)
    assert {"oip-binary / predict, 1 x 16: rows/s", "oip / predict, 256 x 4: CPU per row"} <= (
        set(found)
    )
    assert "oip / predict, 1 x 16: rows/s" not in found


def test_ratios_of_batching(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {f"heavy model, {name}, 1 x 16: rows/s" for name in ratios._BATCHING} >= (
        targets("heavy model")
    )
    name = "batching with a delay of 1 ms / none"
    monkeypatch.setattr(ratios, "_BATCHING", {name: ratios._BATCHING[name]})
    found = by_key(scenarios.measure(bench, ["batching"]))
    assert {key.partition(":")[0] for key in found} == {
        f"small model, {name}, 1 x 16",
        f"heavy model, {name}, 1 x 16",
    }


def test_connections(bench: Bench) -> None:
    found = by_key(scenarios.measure(bench, ["connections"]))
    assert targets("1 x 64 / 1 x 16") | targets("256 x 4, two workers") == set(found)
    assert 0.5 <= found["256 x 4, two workers: CPU share of the busier worker"].value <= 1
    assert found["256 x 4, two workers: memory (PSS) after it, MiB"].value > 30


def test_two_replicas(bench: Bench) -> None:
    found = by_key(scenarios.measure(bench, ["replicas"]))
    assert set(found) == {f"two replicas / one, 32 x 4: {one}" for one in ("rows/s", "CPU per row")}
    assert all(0.2 < one.value < 5 for one in found.values())


def test_replicas_need_a_cpu_each(bench: Bench) -> None:
    one = replace(bench, cpus=Affinity((0,), (0,)))
    with pytest.raises(BenchmarkError, match="two replicas need two CPUs; this process may use 1"):
        list(scenarios.measure(one, ["replicas"]))


def test_health_under_load_and_beyond_it(bench: Bench) -> None:
    found = by_key(scenarios.measure(bench, ["health", "overrun"]))
    for shape in ("1 x 64", "256 x 16", "256 x 300"):
        assert targets(f"{shape}, two workers") <= set(found)
    refused = found["256 x 300, two workers: single requests refused (429)"].value
    assert ("256 x 300, two workers: refused after, median, ms" in found) == (refused > 0)


def test_start_and_soak(bench: Bench) -> None:
    found = by_key(scenarios.measure(bench, ["start", "soak"]))
    assert targets("start") | targets("soak") == set(found)
    assert found["soak: memory (PSS), median, MiB"].value > 30
    assert found["soak: largest deviation from it"].value < 1


def test_an_overload(bench: Bench) -> None:
    found = by_key(list(overload(bench, times=1, queue=2)))
    assert targets("overload") <= set(found)
    assert found["overload: requests / peak"].value > 0
    assert found["overload: failed connections"].value == 0
    refused = found["overload: single requests refused (429)"].value
    assert ("overload: refused after, median, ms" in found) == (refused > 0)


def test_ratios_of_a_saturated_generator_do_not_count() -> None:
    fine = Measurement(rows_per_second=1, cpu_per_row=1, p99=1, shares=(1,), generator_share=0.9)
    saturated = replace(fine, generator_share=0.91)
    assert len(list(ratios._ratios("a / b", [fine], [fine]))) == 3
    with pytest.raises(BenchmarkError, match="a / b: wrk had no CPU left"):
        list(ratios._ratios("a / b", [fine], [saturated]))


@pytest.mark.parametrize(
    ("answers", "refused"),
    [([(200, 1.0), (200, 2.0)], [0.0]), ([(429, 3.0), (200, 1.0), (429, 5.0)], [2 / 3, 4.0])],
)
def test_refusals_are_reported_if_there_are_any(
    answers: list[tuple[int, float]], refused: list[float]
) -> None:
    results = under_load.refusal_results("busy", Prober("", answers=answers))
    assert [one.value for one in results] == pytest.approx(refused)


def test_a_health_check_that_fails_misses_its_target() -> None:
    prober = Prober("", answers=[(200, 3.0), (0, 1.0), (503, 2.0)])
    slowest, unhealthy = under_load.health_results("1 x 64, two workers", prober)
    assert (slowest.value, check_regressions.missed(slowest)) == (3.0, False)
    assert (unhealthy.value, check_regressions.missed(unhealthy)) == (2, True)


def test_targets_are_bounds() -> None:
    at_most, at_least = (
        TARGETS["start"]["seconds until ready"],
        TARGETS["1 x 64 / 1 x 16"]["rows/s"],
    )
    assert [at_most.met(value) for value in (0.9, 1.0, 1.1)] == [True, True, False]
    assert [at_least.met(value) for value in (0.8, 0.9, 1.0)] == [False, True, True]
    assert (str(at_most), str(at_least)) == ("<= 1", ">= 0.9")
