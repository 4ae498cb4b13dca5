"""New versions come into service, and bad ones do not, while the server runs."""

import os
import resource
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.plus import Plus
from tests.servers.live import Response, Server
from tests.servers.plus_server import QUICK, answers, index, told
from tests.servers.processes import are_replaced, eventually, processes, workers


@pytest.fixture
def server(plus: Plus) -> Iterator[Server]:
    with Server("--models", str(plus.folder), *QUICK) as running:
        yield running


def gauges(server: Server) -> dict[str, float]:
    """``onnxlet_model_version_ready`` by its labels."""
    text = server.request("GET", "/metrics").body.decode()
    name = "onnxlet_model_version_ready"
    lines = [line for line in text.splitlines() if line.startswith(name + "{")]
    parts = [line.removeprefix(name).rpartition(" ") for line in lines]
    return {labels: float(value) for labels, _, value in parts}


def test_a_new_version_is_served_by_every_worker(server: Server, plus: Plus) -> None:
    before = workers(server)
    assert answers(server) == {1}
    plus.publish(2)
    assert eventually(lambda: index(server) == {"2": ("READY", "")})
    assert eventually(lambda: answers(server) == {2})
    assert workers(server) == before
    assert gauges(server) == {'{model="plus",reason="",version="2"}': 1.0}
    assert server.request("POST", "/predict?version=1", '{"images": [[1, 2]]}').status == 404
    _, _, log = server.end(signal.SIGTERM)
    assert log.splitlines()[:2] == [
        "serve: plus version 1 is no longer served",
        "serve: plus version 2 is served",
    ]


def test_a_bad_version_does_not_replace_a_good_one(server: Server, plus: Plus) -> None:
    plus.publish(2, adds=3)
    (state, reason) = told(server, "2")
    assert state == "UNAVAILABLE"
    assert reason.startswith("plus/2: golden answers: y differs by 1")
    assert index(server)["1"] == ("READY", "")
    assert answers(server) == {1}
    assert eventually(lambda: sorted(gauges(server).values()) == [0.0, 1.0])
    ready = gauges(server)
    (failed,) = (labels for labels, value in ready.items() if not value)
    assert "plus/2: golden answers: y differs by 1" in failed
    plus.remove(2)
    plus.publish(2)
    assert eventually(lambda: index(server) == {"2": ("READY", "")})
    assert eventually(lambda: answers(server) == {2})
    _, _, log = server.end(signal.SIGTERM)
    assert log.count("golden answers") == 1  # it was tried once


def test_files_that_go_bad_in_service_do_no_harm(server: Server, plus: Plus) -> None:
    plus.corrupt(1)
    assert eventually(lambda: "checksum mismatch" in index(server)["1"][1])
    assert index(server)["1"][0] == "READY"
    assert answers(server) == {1}
    assert list(gauges(server).values()) == [1.0]


def test_a_worker_that_must_load_bad_files_anew_makes_all_fall_back(plus: Plus) -> None:
    plus.publish(2)
    with Server("--models", str(plus.folder), *QUICK) as server:
        plus.corrupt(2)
        assert eventually(lambda: "checksum mismatch" in told(server, "2")[1])
        killed = workers(server)[0]
        os.kill(killed, signal.SIGKILL)
        # Asked before that, it might be for an answer that the killed one owes.
        assert eventually(lambda: are_replaced(server, killed))
        assert eventually(lambda: told(server, "2")[0] == "UNAVAILABLE")
        assert eventually(lambda: answers(server) == {1})


def test_a_rollback_and_a_repository_that_vanishes(server: Server, plus: Plus) -> None:
    plus.publish(2)
    assert eventually(lambda: answers(server) == {2})
    plus.remove(2)
    assert eventually(lambda: answers(server) == {1})
    hidden = plus.folder.rename(plus.folder.with_name("hidden"))
    assert server.process.stderr
    while "no such folder" not in (line := server.process.stderr.readline()):
        assert line
    assert line.endswith("the loaded models stay in service\n")
    assert eventually(lambda: answers(server) == {1})
    hidden.rename(plus.folder)
    plus.publish(2)
    assert eventually(lambda: answers(server) == {2})


def test_labels_move(server: Server, plus: Plus) -> None:
    plus.label(stable=1)
    assert eventually(lambda: ask_label(server, "stable").status != 404)
    plus.publish(2)
    assert eventually(lambda: answers(server) == {2})
    assert answers(server, "/predict?version=stable") == {1}
    plus.label(stable=2, canary=2)
    assert eventually(lambda: ask_label(server, "canary").status == 200)
    assert eventually(lambda: answers(server, "/predict?version=stable") == {2})
    assert eventually(lambda: index(server) == {"2": ("READY", "")})
    plus.publish(3, adds=5)
    plus.label(stable=3)
    assert eventually(lambda: "3" in index(server))
    assert answers(server, "/predict?version=stable") == {2}
    _, _, log = server.end(signal.SIGTERM)
    assert "label stable stays at version 2, because version 3 can't be served" in log


def ask_label(server: Server, label: str) -> Response:
    return server.request("POST", f"/predict?version={label}", '{"images": [[1, 2]]}')


def test_a_trial_that_dies_costs_no_worker(server: Server, plus: Plus) -> None:
    before = workers(server)

    def trials() -> list[int]:
        known = {*before}
        return [pid for pid in processes(server) if pid not in known]

    plus.publish(2)
    # The forkserver comes first, and is done with what it was asked for before it ends.
    assert eventually(lambda: killed(trials()), pause=0)
    assert told(server, "2") in (  # the forkserver was killed, and the validation repeated
        ("READY", ""),
        ("UNAVAILABLE", "plus/2: the process that validated it was ended by SIGKILL"),
    )
    assert workers(server) == before


def killed(pids: list[int]) -> bool:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return bool(pids)


def test_other_models_go_on_where_a_worker_can_not_load_one_anew(
    plus: Plus, swapped_repository: Path
) -> None:
    shutil.copytree(swapped_repository / "large", plus.folder / "large")
    options = ("--poll-interval", "0.1", "--workers", "1")
    with Server("--models", str(plus.folder), *options) as server:
        plus.corrupt(1)
        assert eventually(lambda: "checksum mismatch" in index(server)["1"][1])
        (killed,) = workers(server)
        os.kill(killed, signal.SIGKILL)
        assert eventually(lambda: workers(server) not in ([killed], []))
        assert eventually(lambda: index(server)["1"][0] == "UNAVAILABLE")
        assert index(server, "large") == {"1": ("READY", "")}


def test_an_outage_of_the_repository_leaves_nothing_behind(server: Server, plus: Plus) -> None:
    hidden = plus.folder.rename(plus.folder.with_name("hidden"))
    killed = workers(server)[0]
    os.kill(killed, signal.SIGKILL)
    assert server.process.stderr
    # Whether its successor says why depends on who sees the outage first, it or a look.
    while "ended with status 1; another one starts" not in (
        line := server.process.stderr.readline()
    ):
        assert line
    assert answers(server) == {1}
    hidden.rename(plus.folder)
    assert eventually(lambda: are_replaced(server, killed))
    assert eventually(lambda: index(server) == {"1": ("READY", "")})


def test_a_supervisor_without_descriptors_goes_on(server: Server, plus: Plus) -> None:
    pid = server.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
    assert server.process.stderr
    assert "a scan can't start: Too many open files" in server.process.stderr.readline()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    plus.publish(2)
    assert eventually(lambda: answers(server) == {2})


def test_a_second_model_leaves_the_default(
    server: Server, plus: Plus, swapped_repository: Path
) -> None:
    shutil.copytree(swapped_repository / "large", plus.folder / "large")
    assert eventually(lambda: index(server, "large") == {"1": ("READY", "")})
    assert answers(server) == {1}
