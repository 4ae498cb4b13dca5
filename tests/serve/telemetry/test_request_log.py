"""The optional sample of requests in a file."""

import json
import stat
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from serve.errors import StartError
from serve.telemetry import request_log
from serve.telemetry.request_log import RequestLog
from tests.conftest import Digits
from tests.servers.live import Server
from tests.servers.processes import eventually

MODEL: Any = SimpleNamespace(spec=SimpleNamespace(id=("m", "3")))


def show(log: RequestLog, number: float) -> None:
    log.observe(MODEL, {"x": np.array([[number, 1], [7, 7]], "f4")}, {"y": np.array([number])})


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_it_has_the_first_row_and_nothing_about_the_client(tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    show(RequestLog(file, 1, 10_000), 5)
    assert eventually(lambda: len(lines(file)) == 1)
    (entry,) = lines(file)
    assert abs(time.time() - request_log.datetime.fromisoformat(entry.pop("time")).timestamp()) < 60
    assert entry == {"model": "m", "version": "3", "inputs": {"x": [5, 1]}, "outputs": {"y": 5}}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_has_missing_values_texts_and_all_kinds_of_numbers(tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    inputs = {"x": np.array([[0.1, np.nan]], "f4"), "n": np.array([7], np.longlong)}
    outputs = {"label": np.array(["yes"], object), "flag": np.array(True)}
    outputs["mean"] = np.array(0.1, "f4")
    RequestLog(file, 1, 10_000).observe(MODEL, inputs, outputs)
    assert eventually(lambda: len(lines(file)) == 1)
    (entry,) = lines(file)
    assert entry["inputs"] == {"x": [0.1, None], "n": 7}
    assert entry["outputs"] == {"label": "yes", "flag": True, "mean": 0.1}


def test_it_takes_so_many_rows_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    log = RequestLog(tmp_path / "requests.jsonl", 2, 10_000)
    monkeypatch.setattr(request_log, "time", SimpleNamespace(monotonic=lambda: now[0]))
    for number in range(20):
        now[0] = number / 10  # 0 to 1.9
        show(log, number)
    assert eventually(lambda: len(lines(tmp_path / "requests.jsonl")) == 4)
    written = [entry["outputs"]["y"] for entry in lines(tmp_path / "requests.jsonl")]
    assert written == [0, 5, 10, 15]


def test_a_large_row_is_left_out(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "requests.jsonl", 1, 10**9)
    log.observe(MODEL, {"x": np.zeros((1, 20_000), "f4")}, {"y": np.array([1])})
    show(log, 5)  # at once: the large one does not count
    assert eventually(lambda: len(lines(tmp_path / "requests.jsonl")) == 1)
    assert lines(tmp_path / "requests.jsonl")[0]["outputs"] == {"y": 5}


def test_its_size_is_limited(tmp_path: Path) -> None:
    file, previous = tmp_path / "requests.jsonl", tmp_path / "requests.jsonl.1"
    logs = [RequestLog(file, 1e9, 1000) for _ in range(2)]  # two workers
    for number in range(100):
        show(logs[number % 2], number)
        assert eventually(lambda: number in last(file, previous), pause=0.001)  # noqa: B023
    assert 1000 <= previous.stat().st_size < 1300
    assert not file.exists() or file.stat().st_size < 1000
    assert {path.name for path in tmp_path.iterdir()} <= {file.name, previous.name}


def last(*files: Path) -> set[float]:
    return {entry["outputs"]["y"] for file in files for entry in lines(file)}


def test_a_disk_that_takes_nothing_harms_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "folder").mkdir()
    log = RequestLog(tmp_path / "folder", 1e9, 1000)
    for number in range(100):
        show(log, number)
    assert eventually(lambda: "requests are not logged: Is a directory" in caplog.text)
    assert caplog.text.count("not logged") == 1
    with pytest.raises(StartError, match=r"--request-log .*: there is no folder .*nowhere"):
        RequestLog(tmp_path / "nowhere/requests.jsonl", 1e9, 1000)


def test_a_server_writes_what_it_was_asked(
    repository: Path, digits: Digits, tmp_path: Path
) -> None:
    file = tmp_path / "requests.jsonl"
    arguments = ("--models", str(repository), "--workers", "1", "--request-log", str(file))
    with Server(*arguments) as server:
        secret = {"X-Request-Id": "secret", "Authorization": "Bearer secret"}
        body = json.dumps({"image": digits.images[0].tolist()})
        answer = server.request("POST", "/predict", body, secret).json()
        assert eventually(lambda: len(lines(file)) == 1)
    (entry,) = lines(file)
    assert entry["inputs"]["image"] == digits.images[0].tolist()
    assert [entry["outputs"]["probabilities"]] == answer["probabilities"]
    assert "secret" not in file.read_text()
    assert "127.0.0.1" not in file.read_text()
