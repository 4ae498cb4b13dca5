"""Peers: adapters that answer rightly, what they need, and a fair account of who is ahead."""

import json
import sys
from functools import partial
from pathlib import Path

import pytest

from benchmarks.compare import comparison, trial
from benchmarks.compare.comparison import Contender
from benchmarks.compare.trial import SHAPES, Trial
from benchmarks.errors import BenchmarkError
from benchmarks.load import golden_rows
from benchmarks.load.prepared_request import Stock
from benchmarks.load.protocols import Model
from benchmarks.load.rounds import Measurement, Shape
from benchmarks.peers import peer_environment
from benchmarks.peers.peer_list import PEERS
from benchmarks.system.servers import Server, ours
from tests.conftest import ROOT
from tests.servers.live import Server as LiveServer


@pytest.fixture
def stock(server: LiveServer, work: Path) -> Stock:
    sent = golden_rows.read(work / "subset.npz")
    return Stock(golden_rows.known(f"http://127.0.0.1:{server.port}", Model(), sent), Model())


@pytest.mark.parametrize("name", ["asgi", "course", "fastapi", "naive"])
def test_adapters_of_which_this_environment_has_the_packages(
    name: str, stock: Stock, repository: Path, shared: Path
) -> None:
    keras = next((shared / "mlruns").rglob("model.keras"))
    command = PEERS[name].command.replace("{python}", sys.executable).split()
    model = str(repository / "mnist/1/model.onnx")
    given = {"PEER_MODEL": model, "PEER_KERAS_MODEL": str(keras), "PYTHONPATH": str(ROOT)}
    with Server(name, command, ready=PEERS[name].ready, environment=given) as server:
        for letter in (*stock.letters("predict", 1)[:1], *stock.letters("predict", 32)[:2]):
            trial.check(server, letter)
        with pytest.raises(BenchmarkError, match=f"{name}, 1 rows: 1 of 1 rows are wrong"):
            trial.check(server, _other(stock))


def _other(stock: Stock) -> object:
    from dataclasses import replace

    letter = stock.letters("predict", 1)[0]
    return replace(letter, expected=[(letter.expected[0] + 1) % 10])


def test_each_peer_is_locked_and_has_its_adapter() -> None:
    locked = {path.name for path in (ROOT / "requirements").iterdir()}
    for name, peer in PEERS.items():
        wanted = "mlserver.txt" if name == "mlserver" else f"peer-{name}.txt"
        assert wanted in locked
        for word in peer.command.replace(":", " ").split():
            if word.startswith("benchmarks.peers."):
                assert (ROOT / f"{word.replace('.', '/')}.py").is_file()
        assert peer_environment.folder(name, peer).parts[len(ROOT.parts)] == "build"


def test_a_trial_of_our_own_server(repository: Path, stock: Stock) -> None:
    shape = Shape(8, 2)
    letters = {8: stock.letters("predict", 8)[0]}
    told: list[object] = []
    done = trial.run(ours(repository), letters, 1, told.append, [shape])
    assert told == ["onnxlet, 8 x 2"]
    assert done.measured[shape].rows_per_second > 80
    assert done.memory > 30
    assert done.seconds_to_ready > 0


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"onnxlet ended at its start: .*no model"):
        ours(tmp_path).__enter__()


def contender(title: str, rate: float, p99: float, cpu: float, memory: float) -> Contender:
    measured = Measurement(rows_per_second=rate, cpu_per_row=cpu, p99=p99, shares=(1,))
    one = Trial(dict.fromkeys(SHAPES, measured), 1.0, memory)
    made = Contender(title, "1.0", 200, "none", partial(Server, title, []), {})
    made.trials += [one, one]
    return made


def test_where_a_peer_is_ahead_is_said() -> None:
    mine = contender("ours", 1000, 5, 10, 100)
    behind = contender("behind", 500, 10, 20, 200)
    assert comparison.ahead([mine, behind]) == ["no peer is ahead in any of these figures"]
    mixed = contender("mixed", 1500, 10, 10, 50)
    assert comparison.ahead([mine, behind, mixed]) == [
        "mixed is ahead in rows/s at 1 x 1: 1.50 times ours",
        "mixed is ahead in rows/s at 1 x 16: 1.50 times ours",
        "mixed is ahead in rows/s at 32 x 4: 1.50 times ours",
        "mixed is ahead in rows/s at 256 x 4: 1.50 times ours",
        "mixed is ahead in memory: 0.50 times ours",
    ]


def test_a_peer_that_fails_is_left_out_and_told(tmp_path: Path) -> None:
    mine, broken = contender("ours", 1000, 5, 10, 100), contender("broken", 2000, 1, 1, 1)
    broken.fault = "broken, 8 x 2: 3 requests failed"
    told = comparison.ahead([mine, broken])
    assert told[1:] == ["broken is left out: broken, 8 x 2: 3 requests failed"]
    assert comparison.table([mine, broken]).row_count == 1
    comparison.write_json([mine, broken], {"date": "today"}, tmp_path / "raw/peers.json")
    kept = json.loads((tmp_path / "raw/peers.json").read_text())["servers"]
    assert [one["fault"] for one in kept] == ["", broken.fault]
    assert kept[0]["trials"][1]["loads"]["32 x 4"]["rows_per_second"] == 1000


def test_the_document(tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.md"
    places = ("peers told", "peers")
    file.write_text("".join(f"<!-- {place} -->\nbefore\n<!-- /{place} -->\n" for place in places))
    both = [contender("ours", 1000, 5, 10, 100), contender("other", 500, 10, 20, 200)]
    comparison.write(both, file, "`command`, today")
    text = file.read_text()
    assert "before" not in text
    assert "`command`, today\n\n- no peer is ahead in any of these figures\n" in text
    cells = [*["1,000"] * 4, *["5"] * 4, *["10"] * 4, "1.0", "100", "200"]
    assert f"| ours 1.0 | {' | '.join(cells)} |" in text
    assert "- other 1.0: none" in text
