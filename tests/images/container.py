"""A serving container with all the restrictions that docs/containers.md asks for."""

import http.client
import json
import time
from pathlib import Path
from typing import Any

from tests.conftest import free_port
from tests.images.engine import Engine
from tests.servers.live import Response

RESTRICTIONS = (
    *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--tmpfs", "/tmp", "--memory", "256m", "--cpus", "1", "--pids-limit", "64"),  # noqa: S108
)
_SECONDS = 60.0


class Container:
    """Started when the block is entered, removed when it is left."""

    def __init__(self, engine: Engine, models: Path, *options: str | Path, **settings: str) -> None:
        """Serve ``models``, with options of `docker run` and settings of the server."""
        self._engine = engine
        self.port = free_port()
        variables = [f"--env={name}={value}" for name, value in settings.items()]
        self._command = [
            *("run", "--detach", *RESTRICTIONS, "--volume", f"{models}:/models:ro"),
            *("--publish", f"127.0.0.1:{self.port}:8080", *variables, *options, "onnxlet-serve"),
        ]
        self.id = ""

    def __enter__(self) -> "Container":
        began = time.monotonic()
        self.id = self._engine.docker(*self._command).strip()
        try:
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        self.seconds = time.monotonic() - began
        return self

    def __exit__(self, *_: object) -> None:
        self.docker("rm", "--force")

    def docker(self, command: str, *options: str) -> str:
        """A command of Docker's on this container."""
        return self._engine.docker(command, *options, self.id)

    def run_inside(self, *command: str) -> str:
        return self._engine.docker("exec", self.id, *command)

    def state(self) -> dict[str, Any]:
        """What Docker knows of it."""
        (known,) = json.loads(self.docker("inspect"))
        return dict(known["State"])

    def restarts(self) -> int:
        """How often Docker has started it again by itself."""
        return int(self.docker("inspect", "--format", "{{.RestartCount}}"))

    def wait(self) -> None:
        """Until it is ready, from inside: there may be no network."""
        until = time.monotonic() + _SECONDS
        while True:
            health = ("exec", self.id, "/usr/bin/python3", "-m", "serve", "health")
            told = self._engine.docker(*health, check=False)
            if told == "":
                return
            assert time.monotonic() < until, told + self.docker("logs")
            time.sleep(0.05)

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> Response:
        """Send a request; ``content_type`` stands for Content-Type."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        try:
            return Response(answer.status, answer.headers, answer.read())
        finally:
            connection.close()
