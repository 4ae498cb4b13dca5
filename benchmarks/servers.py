"""The servers that are compared, each started as its users would, on 127.0.0.1."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
LOGS = ROOT / "build/bench/logs"
START_SECONDS = 60.0


class Server:
    """A server in processes of its own, from start to end of a ``with`` block."""

    def __init__(self, name: str, command: list[str], **environment: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.name = name
        self._command = [part.replace("PORT", str(self.port)) for part in command]
        self._environment = os.environ | environment
        self.base = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.base}/predict"
        self.seconds_to_ready = 0.0

    def __enter__(self) -> "Server":
        started = time.monotonic()
        LOGS.mkdir(parents=True, exist_ok=True)
        with (LOGS / f"{self.name}.log").open("a") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        while time.monotonic() - started < START_SECONDS:
            try:
                address = f"http://127.0.0.1:{self.port}/v2/health/ready"
                with urllib.request.urlopen(address, timeout=5):
                    self.seconds_to_ready = time.monotonic() - started
                    return self
            except OSError:
                time.sleep(0.01)
        self._process.kill()
        raise TimeoutError(f"{self.name} did not get ready within {START_SECONDS} s; see {LOGS}")

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=60)

    def tree(self) -> list[psutil.Process]:
        """The main process and all below it, the main one first."""
        main = psutil.Process(self._process.pid)
        return [main, *main.children(recursive=True)]

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


def ours(models: Path, *arguments: str) -> Server:
    """This project's server with two workers, in the environment that is shipped."""
    python = str(ROOT / ".venv-serve/bin/python")
    command = [python, "-m", "serve", "--models", str(models), "--port", "PORT", "--workers", "2"]
    return Server("onnxlet", [*command, *arguments])


def fastapi(models: Path) -> Server:
    """The reference, with two workers; see ``benchmarks/peers/fastapi/app.py``."""
    python = str(ROOT / "build/peers/fastapi/bin/python")
    newest = max((models / "mnist").iterdir(), key=lambda version: int(version.name))
    return Server(
        "FastAPI",
        f"{python} -m uvicorn --workers 2 --port PORT --no-access-log --log-level warning"
        " benchmarks.peers.fastapi.app:app".split(),
        PEER_MODEL=str(newest / "model.onnx"),
    )
