"""Peers: adapters that answer correctly, and a fair account of who is ahead."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import benchmark_arguments
from benchmarks.compare import compare_servers, comparison
from benchmarks.compare.comparison import LOADS, Contender, Trial
from benchmarks.errors import BenchmarkError
from benchmarks.fixtures import small_model, table_model
from benchmarks.load.rounds import Measurement
from benchmarks.load.shapes import Shape
from benchmarks.load.stats import GENERATOR_LIMIT
from benchmarks.peers import peer_environment
from benchmarks.peers.peer_list import PEERS
from benchmarks.system.servers import Server, onnxlet
from bundle import layout
from tests.conftest import ROOT

Compare = Callable[..., None]
pytestmark = pytest.mark.usefixtures("no_warm_up")


@pytest.fixture
def compare(repository: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> Compare:
    """The command, with the peers whose packages this environment has."""
    monkeypatch.setattr(peer_environment, "install", lambda *_: None)
    monkeypatch.setattr(peer_environment, "folder", lambda _: ROOT / ".venv")
    monkeypatch.setattr(peer_environment, "megabytes", lambda _: 100.0)
    keras = next((shared / "mlruns").rglob("model.keras"))
    monkeypatch.setattr(small_model, "keras_file", lambda _: keras)

    def run(*arguments: str) -> None:
        chosen = benchmark_arguments.parse(["compare", "--models", str(repository), *arguments])
        compare_servers.run(chosen, Console(file=io.StringIO()))

    return run


def test_adapters_answer_correctly(
    compare: Compare, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("asgi", "course", "fastapi", "naive")
    compare("--check", "--out", str(tmp_path / "compare.json"), "--only", *names)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert all(line.endswith(": answers correctly") for line in lines)


def test_rows_of_a_table(
    compare: Compare,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = table_model.prepare(tmp_path / "models")
    assert table_model.prepare(models) == models  # once is enough
    assert layout.versions(models, table_model.NAME) == [1]
    monkeypatch.setattr(table_model, "prepare", lambda: models)
    out = ("--out", str(tmp_path / "compare.json"))
    compare("--table", "--check", *out, "--only", "fastapi", "pydantic")
    ours, pydantic = capsys.readouterr().out.splitlines()
    assert ours.startswith("onnxlet")
    assert pydantic.startswith("FastAPI + uvicorn + pydantic")
    assert all(line.endswith(": answers correctly") for line in (ours, pydantic))


def test_a_wrong_answer_is_an_error(
    compare: Compare,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = replace(PEERS["naive"], outputs=lambda _body, _model: [[0.5] * 10])
    monkeypatch.setitem(PEERS, "naive", wrong)
    with pytest.raises(BenchmarkError, match="not all servers answer correctly: Flask"):
        compare("--check", "--out", str(tmp_path / "compare.json"), "--only", "naive")
    assert "wrongly: 1 of 1 rows are wrong" in capsys.readouterr().out


def test_the_whole_command(
    compare: Compare,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shapes = (Shape(1, 1), Shape(8, 2))
    for module in (compare_servers, comparison):
        monkeypatch.setattr(module, "LOADS", shapes)
    monkeypatch.setattr(comparison, "_SHOWN", LOADS[1:1])
    broken = replace(PEERS["mosec"], command="{python} -c raise(SystemExit('broken'))")
    monkeypatch.setitem(PEERS, "mosec", broken)
    monkeypatch.setattr(peer_environment, "version", lambda _: "1.0")
    file = tmp_path / "new/compare.json"
    rounds = ("--rounds", "1", "--seconds", "1")
    document = tmp_path / "benchmarks.md"
    markers = ("compare circumstances", "compare")
    document.write_text("".join(f"<!-- {name} -->\nold\n<!-- /{name} -->\n" for name in markers))
    files = ("--out", str(file), "--markdown", str(document))
    compare("--only", "naive", "mosec", *rounds, *files)
    ours, naive, mosec = json.loads(file.read_text())["servers"]
    assert mosec["fault"].startswith("Mosec did not start: broken")
    for one in (ours, naive):
        (trial,) = one["trials"]
        assert list(trial["measured"]) == ["1 x 1", "8 x 2"]
        assert all(load["cpu_per_row"] > 0 for load in trial["measured"].values())
        assert trial["memory_mib"] > 30
    assert "Mosec is left out: Mosec did not start" in capsys.readouterr().out
    text = document.read_text()
    assert "old" not in text
    assert "- Mosec is left out: Mosec did not start" in text
    assert "| Flask + waitress, naively (flask 1.0) |" in text


def test_each_peer_is_locked_and_has_its_adapter() -> None:
    locked = {path.name for path in (ROOT / "requirements").iterdir()}
    for name, peer in PEERS.items():
        place = peer_environment.folder(name).name
        wanted = "mlserver.txt" if name == "mlserver" else f"peer-{place}.txt"
        assert wanted in locked
        for word in peer.command.replace(":", " ").split():
            if word.startswith("benchmarks.peers."):
                assert (ROOT / f"{word.replace('.', '/')}.py").is_file()
        assert peer_environment.folder(name).parts[len(ROOT.parts)] == "build"


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"onnxlet did not start: .*no model"):
        onnxlet(tmp_path, workers=1).__enter__()


def contender(
    title: str, rate: float, p99: float | None, cpu: float, memory: float, share: float = 0.2
) -> Contender:
    measured = Measurement(
        rows_per_second=rate, cpu_per_row=cpu, p99=p99, shares=(1,), generator_share=share
    )
    one = Trial({str(shape): measured for shape in LOADS}, 1.0, memory)
    made = Contender(title, "1.0", 200, "none", partial(Server, title, []), {})
    made.trials += [one, one]
    return made


def test_where_a_peer_is_ahead_is_said() -> None:
    mine = contender("ours", 1000, 5, 10, 100)
    behind = contender("behind", 500, 10, 20, 200)
    assert comparison.ahead([mine, behind]) == ["no peer is ahead in any of these figures"]
    mixed = contender("mixed", 1500, None, 10, 50)
    broken = contender("broken", 2000, 1, 1, 1)
    broken.fault = "broken, 8 x 2: 3 requests failed"
    assert comparison.ahead([mine, behind, mixed, broken]) == [
        "mixed is ahead in rows/s at 1 x 1: 1.50 times ours",
        "mixed is ahead in rows/s at 1 x 16: 1.50 times ours",
        "mixed is ahead in rows/s at 32 x 4: 1.50 times ours",
        "mixed is ahead in rows/s at 256 x 4: 1.50 times ours",
        "mixed is ahead in memory: 0.50 times ours",
        "broken is left out: broken, 8 x 2: 3 requests failed",
    ]


def test_a_row_of_the_table() -> None:
    ours = contender("ours", 1000, 5, 10, 100)
    figures = [*["1,000"] * 3, *["5"] * 3, *["10"] * 3]
    assert comparison.row(ours) == ["ours 1.0", *figures, "20%", "1.0", "100", "200"]
    # No p99 of too few answers, and a mark where wrk had no CPU left.
    other = contender("other", 500, None, 20, 200, share=GENERATOR_LIMIT + 0.01)
    figures = [*["500"] * 3, *["–"] * 3, *["20"] * 3]
    assert comparison.row(other) == ["other 1.0", *figures, "91% *", "1.0", "200", "200"]
    assert len(comparison.HEAD) == len(comparison.row(ours))
    assert comparison.facts([ours, other])[-2:] == ["ours 1.0: none", "other 1.0: none"]
