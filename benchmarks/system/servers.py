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

from benchmarks import BUILD, ROOT, SERVING
from benchmarks.errors import BenchmarkError
from benchmarks.system import affinity
from benchmarks.system.process_tree import ProcessTree

LOGS = BUILD / "logs"
START_SECONDS = 120.0
STOP_SECONDS = 60.0
PORT = "{port}"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Server:
    """A server in processes of its own, from start to end of a ``with`` block.

    Args:
        name: for people, and of its log.
        command: that starts it; ``{port}`` stands for a free port.
        ready: path that answers with 200 once the server is ready.
        cpus: that it may use; all of this process's if empty.
        environment: added to this process's; ``{port}`` as in the command.

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
        self.name = name
        self._port = str(free_port())
        self._command = affinity.pinned([self._filled(part) for part in command], cpus)
        self._environment = {name: self._filled(text) for name, text in (environment or {}).items()}
        self._ready = ready
        self.base = f"http://127.0.0.1:{self._port}"
        self.seconds_to_ready = 0.0

    def _filled(self, text: str) -> str:
        return text.replace(PORT, self._port)

    def __enter__(self) -> Self:
        started = time.monotonic()
        LOGS.mkdir(parents=True, exist_ok=True)
        log_file = LOGS / f"{self.name}.log"
        with log_file.open("w") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=os.environ | self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.tree = ProcessTree(self._process.pid)
        try:
            while not self._answers():
                if self._process.poll() is not None:
                    raise BenchmarkError(f"{self.name} did not start: {_last_line(log_file)}")
                if time.monotonic() - started > START_SECONDS:
                    raise BenchmarkError(
                        f"{self.name} is not ready after {START_SECONDS:g} s; see {log_file}"
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
        """Stop it as an operator would; kill what has not ended then."""
        with contextlib.suppress(psutil.NoSuchProcess):
            children = self.tree.processes()[1:]
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=STOP_SECONDS)
            for process in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self._process.kill()
        self._process.wait()


def _last_line(file: Path) -> str:
    lines = file.read_text(errors="replace").strip().splitlines()
    return f"{lines[-1] if lines else 'it printed nothing'} (its log is {file})"


def onnxlet(models: Path, *arguments: str, workers: int, cpus: tuple[int, ...] = ()) -> Server:
    """This project's server, in the environment that is shipped.

    Raises:
        BenchmarkError: there is no such environment.

    """
    if not SERVING.exists():
        raise BenchmarkError(f"there is no {SERVING}: make setup")
    command = [str(SERVING), "-m", "serve", "--models", str(models.resolve()), "--port", PORT]
    return Server("onnxlet", [*command, "--workers", str(workers), *arguments], cpus=cpus)
