"""The servers that are measured, each started as its users would, on 127.0.0.1."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import psutil

from benchmarks import ROOT, SERVING
from benchmarks.errors import BenchmarkError
from benchmarks.system import affinity

LOGS = ROOT / "build/bench/logs"
START_SECONDS = 120.0
END_SECONDS = 60.0
PORT = "{port}"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Server:
    """A server in processes of its own, from start to end of a ``with`` block.

    Args:
        name: for people, and of its log.
        command: that starts it, where ``{port}`` stands for a free port.
        ready: what is asked until it answers with 200.
        cpus: that it may use; all of this process's where there are none.
        environment: beside this process's.

    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        ready: str = "/v2/health/ready",
        cpus: tuple[int, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.name = name
        started = [part.replace(PORT, str(self.port)) for part in command]
        self._command = affinity.pinned(started, cpus) if cpus else started
        given = {
            name: text.replace(PORT, str(self.port)) for name, text in (environment or {}).items()
        }
        self._environment = os.environ | given
        self._ready = ready
        self.base = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.base}/predict"
        self.seconds_to_ready = 0.0

    def __enter__(self) -> Self:
        started = time.monotonic()
        LOGS.mkdir(parents=True, exist_ok=True)
        kept = LOGS / f"{self.name}.log"
        with kept.open("w") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            while not self._answers():
                if self._process.poll() is not None:
                    raise BenchmarkError(f"{self.name} ended at its start: {_last_line(kept)}")
                if time.monotonic() - started > START_SECONDS:
                    raise BenchmarkError(
                        f"{self.name} is not ready after {START_SECONDS:g} s; see {kept}"
                    )
                time.sleep(0.01)
        except BaseException:
            self.__exit__()
            raise
        self.seconds_to_ready = time.monotonic() - started
        return self

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.base + self._ready, timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False

    def __exit__(self, *_: object) -> None:
        """End it as an operator would; what has not ended then is killed."""
        below = self._below()
        self._process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=END_SECONDS)
        for process in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.kill()
        self._process.wait()

    def _below(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return list(psutil.Process(self._process.pid).children(recursive=True))
        return []

    def tree(self) -> list[psutil.Process]:
        """The main process and all below it, the main one first."""
        return [psutil.Process(self._process.pid), *self._below()]

    def cpu_seconds(self) -> dict[int, float]:
        """User and system time of each process of the tree so far, by its id, the main one first.

        The main one's has that of the children that have ended, such as looks at the repository.
        """
        main, *below = self.tree()
        spent = {main.pid: float(sum(main.cpu_times()[:4]))}
        for process in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                spent[process.pid] = float(sum(process.cpu_times()[:2]))
        return spent

    def memory(self) -> float:
        """Proportional set size of the whole tree, in MiB."""
        total = 0
        for process in self.tree():
            with contextlib.suppress(psutil.NoSuchProcess):  # it has ended since
                total += process.memory_full_info().pss
        return total / 2**20


def _last_line(file: Path) -> str:
    lines = file.read_text(errors="replace").strip().splitlines()
    return f"{lines[-1] if lines else 'it said nothing'} (all of it is in {file})"


def ours(models: Path, *arguments: str, workers: int = 2, cpus: tuple[int, ...] = ()) -> Server:
    """This project's server, in the environment that is shipped.

    Raises:
        BenchmarkError: there is none.

    """
    if not SERVING.exists():
        raise BenchmarkError(f"there is no {SERVING}: make setup")
    command = [str(SERVING), "-m", "serve", "--models", str(models.resolve()), "--port", PORT]
    return Server("onnxlet", [*command, "--workers", str(workers), *arguments], cpus=cpus)
