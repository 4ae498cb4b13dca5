"""``python -m serve`` as a subprocess, and a plain HTTP client for it."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serve.protocols.number_kernel import library

ROOT = Path(__file__).parent.parent.parent
_KERNEL = "serve/protocols/number_kernel/kernel.so"


@dataclass(frozen=True)
class Response:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def shared_folders(pid: int) -> list[Path]:
    """Where the workers of the server with this process id share their metrics."""
    return list(Path("/dev/shm").glob(f"onnxlet-{pid}-*"))  # noqa: S108


def read_line(descriptor: int) -> str:
    """Read no further than to the end of a line, so that ``communicate`` gets what follows."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(descriptor, 1)):
        line += byte
    return line.decode()


def after_kernel_warning(log: str) -> str:
    """What a server says beside that it has no number kernel, which it says first."""
    first, end, rest = log.partition("\n")
    return rest if first.startswith("serve: number kernel: ") else first + end + rest


class Server:
    """Started on a free port of 127.0.0.1; ended, by its pid, when the block is left."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.command = [sys.executable, "-m", "serve", *arguments, "--port", "0"]
        self.environment = os.environ | environment
        self.port = 0
        self.kernel_warning = ""
        """What it says first where it has no number kernel, as without a C compiler."""

    def __enter__(self) -> "Server":
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        assert self.process.stderr
        line = self.process.stdout.readline()
        found = re.search(r"on http://127\.0\.0\.1:(\d+)", line)
        assert found, line + self.process.stderr.read()
        self.port = int(found[1])
        if not library.read(ROOT / _KERNEL).loaded:
            self.kernel_warning = read_line(self.process.stderr.fileno())
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        if self.process.stdout and not self.process.stdout.closed:
            self.process.communicate(timeout=30)

    def end(self, how: signal.Signals) -> tuple[int, str, str]:
        """Send a signal and wait; returns the exit status and what was printed since the start."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            kind = {"Content-Type": "application/json"}
            connection.request(method, path, body, kind | dict(headers or {}))
            response = connection.getresponse()
            return Response(response.status, response.headers, response.read())
        finally:
            connection.close()

    def predict(self, document: Any) -> Response:
        return self.request("POST", "/predict", json.dumps(document))
