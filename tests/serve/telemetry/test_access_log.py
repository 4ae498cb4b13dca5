import fcntl
import json
import logging
import os
import signal
from pathlib import Path

import pytest

from serve import log_output
from serve.log_output import LogHandler
from serve.settings import AccessLogMode
from serve.telemetry.access_log import AccessLog
from tests.conftest import Digits
from tests.servers.live import Server
from tests.servers.two_step_client import ask


def logged(repository: Path, digits: Digits, *arguments: str) -> list[dict[str, object]]:
    """What is logged of two requests that go well and two that don't."""
    document = {"images": digits.images[:3].tolist()}
    with Server("--models", str(repository), "--workers", "1", *arguments) as server:
        ask(server, document, X_Request_Id="good")
        ask(server, {"image": [1]}, X_Request_Id="bad")
        server.request("GET", "/v2/health/live")
        server.request("GET", "/nowhere?secret=1")
        _, _, log = server.end(15)
    return [json.loads(line) for line in log.splitlines()]


def test_errors_are_logged_by_default(repository: Path, digits: Digits) -> None:
    bad, nowhere = logged(repository, digits)
    assert bad.pop("time")
    assert bad.pop("ms")
    assert bad.pop("bytes_in") == len(json.dumps({"image": [1]}))
    assert bad == {
        "id": "bad",
        "client": "127.0.0.1",
        "method": "POST",
        "path": "/predict",
        "status": 400,
        "model": "mnist",
        "version": "1",
        "bytes_out": len('{"error":"image: expected an array of 784 numbers, got an array of 1"}'),
        "error": "image: expected an array of 784 numbers, got an array of 1",
    }
    assert (nowhere["method"], nowhere["path"], nowhere["status"]) == ("GET", "/nowhere", 404)


def test_all_or_nothing_is_logged_where_that_is_wanted(repository: Path, digits: Digits) -> None:
    assert logged(repository, digits, "--access-log", "off") == []
    entries = logged(repository, digits, "--access-log", "all")
    assert [entry["status"] for entry in entries] == [200, 400, 200, 404]
    assert (entries[0]["id"], entries[0]["rows"]) == ("good", 3)


def test_sampled_logs_errors_and_one_in_a_hundred() -> None:
    log = AccessLog(AccessLogMode.SAMPLED)
    wanted = [log.wants(status) for status in [200] * 99 + [500] + [200] * 101]
    assert [number for number, logged in enumerate(wanted) if logged] == [99, 100, 200]


def test_a_log_that_nobody_reads_holds_nothing_up() -> None:
    reading, writing = os.pipe()
    log = AccessLog(AccessLogMode.ALL, writing)
    for number in range(2000):
        log.add({"number": number, "padding": "x" * 100})
        log.flush()
    first = os.read(reading, 1 << 20).splitlines()
    assert 300 < len(first) < 1000
    log.add({"number": 2000})
    log.flush()
    told, last = (json.loads(line) for line in os.read(reading, 1 << 20).splitlines())
    assert told == {"lines_dropped": 2000 - len(first)}
    assert last == {"number": 2000}
    os.close(reading)
    os.close(writing)


def test_a_process_that_is_stopped_as_it_writes_holds_nothing_up() -> None:
    reading, writing = os.pipe()
    log = AccessLog(AccessLogMode.ALL, writing)
    locked, done = os.pipe()
    if (other := os.fork()) == 0:
        fcntl.lockf(log_output._PROCESS_LOCK, fcntl.LOCK_EX)
        os.write(done, b"1")
        os.kill(os.getpid(), signal.SIGSTOP)
    os.read(locked, 1)
    for number in range(3):
        log.add({"number": number})
        log.flush()
    os.kill(other, signal.SIGKILL)
    os.waitpid(other, 0)
    log.add({"number": 3})
    log.flush()
    told, last = (json.loads(line) for line in os.read(reading, 1 << 20).splitlines())
    assert (told, last) == ({"lines_dropped": 3}, {"number": 3})
    for descriptor in (reading, writing, locked, done):
        os.close(descriptor)


def test_what_the_server_says_of_itself_holds_nothing_up_either() -> None:
    reading, writing = os.pipe()
    log = logging.Logger("full")
    log.addHandler(LogHandler(writing))
    log.error("%s\ntwo lines", "x" * 5000)
    first, second = os.read(reading, 1 << 20).splitlines()
    assert (first[:9], len(first), second) == (b"serve: xx", 4095, b"two lines")
    for number in range(2000):
        log.error("number %d %s", number, "x" * 100)
    written = os.read(reading, 1 << 20).splitlines()
    assert 10 < len(written) < 1000
    log.error("a last one")
    told, last = os.read(reading, 1 << 20).splitlines()
    assert told == b"serve: %d lines dropped" % (2000 - len(written))
    assert last == b"serve: a last one"
    os.close(reading)
    os.close(writing)


def test_what_the_server_says_of_itself_waits_for_a_process_that_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    locked, done = os.pipe()
    if (other := os.fork()) == 0:
        fcntl.lockf(log_output._PROCESS_LOCK, fcntl.LOCK_EX)
        os.write(done, b"1")
        signal.pause()
    os.read(locked, 1)
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 100:
            os.kill(other, signal.SIGKILL)
            os.waitpid(other, 0)

    monkeypatch.setattr(log_output.time, "sleep", sleep)
    log = logging.Logger("waits")
    log.addHandler(LogHandler(writing))
    log.error("a line")
    assert os.read(reading, 100) == b"serve: a line\n"
    assert len(pauses) == 100
    for descriptor in (reading, writing, locked, done):
        os.close(descriptor)
