"""The forkserver: it ends when it should, and nothing it began stays behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, Digits, run
from tests.servers.live import Server, after_kernel_warning, shared_folders
from tests.servers.processes import (
    DEADLINE,
    alive,
    are_replaced,
    eventually,
    maps,
    processes,
    workers,
)


def forkservers(server: Server) -> list[int]:
    """Process ids of the living others."""
    return [pid for pid in processes(server) if maps(pid) and "/onnxlet-" not in maps(pid)]


def forkserver_of_a_restart(server: Server) -> int:
    """Begin a restart; returns its forkserver's process id, which takes its time to import."""
    server.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: bool(forkservers(server)), pause=0)
    return forkservers(server)[0]


def test_a_restart_whose_forkserver_dies_leaves_the_old_workers(
    server: Server, digits: Digits
) -> None:
    before = workers(server)
    os.kill(forkserver_of_a_restart(server), signal.SIGKILL)
    assert server.process.stderr
    assert server.process.stderr.readline() == (
        "serve: restart cancelled, the old workers continue: the forkserver was ended by SIGKILL\n"
    )
    assert eventually(lambda: processes(server) == before)
    assert server.predict({"image": digits.images[0].tolist()}).json()["prediction"] == 7
    server.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: are_replaced(server, *before))
    assert eventually(lambda: processes(server) == workers(server))


def test_a_restart_in_which_both_generations_die_ends(server: Server, digits: Digits) -> None:
    before = workers(server)
    forkserver = forkserver_of_a_restart(server)
    os.kill(before[0], signal.SIGKILL)
    assert eventually(lambda: not alive(before[0]))
    os.kill(forkserver, signal.SIGKILL)
    assert eventually(lambda: are_replaced(server, before[0]))
    assert eventually(lambda: processes(server) == workers(server))
    assert before[1] in workers(server)
    _, _, log = server.end(signal.SIGTERM)
    assert "restart cancelled, the old workers continue" in log


def test_the_drain_timeout_holds_while_a_forkserver_hangs(repository: Path) -> None:
    with Server("--models", str(repository), "--drain-timeout", "0.5") as server:
        hung = forkserver_of_a_restart(server)
        os.kill(hung, signal.SIGSTOP)
        assert server.end(signal.SIGTERM)[0] == 0
    assert not alive(hung)


@pytest.mark.parametrize("pause", [0.0, 0.05, 0.1, 0.15, 0.2])
def test_what_has_begun_to_start_ends_with_the_supervisor(
    repository: Path, pause: float, tmp_path: Path
) -> None:
    command = Server("--models", str(repository)).command
    with (tmp_path / "log").open("w") as log:
        starting = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    assert eventually(lambda: "numpy" in "".join(map(maps, descendants(starting.pid))), pause=0)
    time.sleep(pause)  # so that it ends now in this step, now in that
    begun = descendants(starting.pid)
    starting.kill()
    starting.wait()
    assert eventually(lambda: not any(alive(pid) for pid in begun))
    assert eventually(lambda: not shared_folders(starting.pid))
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_supervisor_killed_before_it_asks_for_workers_leaves_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from serve.processes.forkserver import Forkserver; from serve.settings import Settings\n"
        "from serve.worker.entry import load_code\n"
        "Forkserver(Settings(), ('', 0), Path(sys.argv[1]), (), load_code)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = run(sys.executable, "-c", code, folder)
    assert killed.returncode == -signal.SIGKILL
    assert eventually(lambda: not folder.exists())


def descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def started(repository: Path) -> "subprocess.Popen[str]":
    """A server that has just begun to start its forkserver."""
    starting = subprocess.Popen(
        Server("--models", str(repository)).command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert eventually(lambda: bool(descendants(starting.pid)), pause=0)
    return starting


def test_a_forkserver_that_dies_at_the_start_is_the_reason_given(repository: Path) -> None:
    with started(repository) as starting:
        os.kill(descendants(starting.pid)[0], signal.SIGKILL)
        out, err = starting.communicate(timeout=DEADLINE)
    assert (starting.returncode, out) == (1, "")
    assert after_kernel_warning(err) == "serve: the forkserver was ended by SIGKILL\n"


def test_a_signal_during_the_start_leaves_nothing_behind(repository: Path) -> None:
    with started(repository) as starting:
        (forkserver,) = descendants(starting.pid)
        starting.terminate()
        out, err = starting.communicate(timeout=DEADLINE)
    assert (starting.returncode, out) == (0, "ended\n")
    assert after_kernel_warning(err) == ""
    assert not alive(forkserver)


REAP = """
import os
from types import SimpleNamespace
from serve.processes.child_process import ChildProcess
from serve.supervisor.supervisor import Supervisor

def status(forking, *pids):
    ended = os.fork()
    if not ended:
        os._exit(3)
    os.waitid(os.P_PID, ended, os.WEXITED | os.WNOWAIT)
    supervisor = SimpleNamespace(
        _workers=SimpleNamespace(living=[SimpleNamespace(pid=pid) for pid in pids]),
        _rollout=SimpleNamespace(is_forking=forking, pids=set()),
        _forkservers=SimpleNamespace(pids=set()),
    )
    Supervisor._reap_others(supervisor)
    child = ChildProcess()
    child.pid = ended
    return child.wait()

print(status(True), status(False, None), status(False), sep="|")
"""


def test_who_has_not_told_its_process_id_is_not_reaped_as_an_orphan() -> None:
    """How a trial and a worker ended is known, and nothing of an orphan."""
    done = run(sys.executable, "-c", REAP)
    assert (done.stdout, done.stderr) == ("ended with status 3|ended with status 3|\n", "")
