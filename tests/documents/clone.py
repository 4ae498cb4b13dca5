"""A copy of the project in which the commands of documents run."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import ROOT, free_port, run
from tests.documents.blocks import Block

PORTS = ("8080", "5000")
SERVE = ".venv-serve/bin/python -m serve --default-model mnist"
LONGEST = 600  # seconds
_READY = re.compile("serving |.*Uvicorn running")


@dataclass(frozen=True)
class Clone:
    """A copy of what git would hand out, with the project's environments and free ports."""

    folder: Path
    ports: dict[str, str] = field(
        default_factory=lambda: {port: str(free_port()) for port in PORTS}
    )

    @classmethod
    def make(cls, folder: Path) -> "Clone":
        """Copy the project into an empty folder."""
        listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard")
        for name in listed.stdout.splitlines():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        for name in (".venv", ".venv-serve"):
            (folder / name).symlink_to((ROOT / name).resolve())
        return cls(folder)

    def add_model(self, published: Path) -> None:
        """Bring in what a reader has after `make run`: a model, its run, and the data.

        Args:
            published: a folder with mlflow.db and models.

        """
        shutil.copytree(published / "models", self.folder / "models")
        shutil.copy2(published / "mlflow.db", self.folder)
        (self.folder / "data").symlink_to((ROOT / "data").resolve())

    @property
    def url(self) -> str:
        """Where its server answers."""
        return f"http://127.0.0.1:{self.ports['8080']}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "MAKE", "GIT"))}
        git = run("git", "rev-parse", "--absolute-git-dir").stdout.strip()
        port, mlflow_port = self.ports.values()
        return kept | {
            "PORT": port,
            "SERVE_PORT": port,
            "MLFLOW_PORT": mlflow_port,
            "GIT_DIR": git,
        }

    def here(self, commands: str) -> str:
        """The same commands with the free ports."""
        return re.sub("|".join(self.ports), lambda port: self.ports[port[0]], commands)

    def run(self, commands: str) -> subprocess.CompletedProcess[str]:
        """Run commands that end by themselves, up to the first that fails."""
        return run(
            *("bash", "-euo", "pipefail", "-c", self.here(commands)),
            cwd=self.folder,
            env=self.environment,
            timeout=LONGEST,
        )

    @contextmanager
    def serving(self, command: str) -> Iterator["Serving"]:
        """Run a command that serves, until the block is left; it has begun to serve before."""
        process = subprocess.Popen(
            ["bash", "-c", f"exec {self.here(command)}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # which Ctrl-C reaches as a whole
        )
        running = Serving(process)
        try:
            running.wait()
            yield running
        finally:
            running.interrupt()

    def follow(self, blocks: list[Block]) -> Iterator[tuple[Block, str]]:
        """Run blocks in their order; gives what each printed.

        A block that serves goes on until the next one that does. Where a page asks a server and
        starts none, there is one.

        Raises:
            AssertionError: a block has failed; the message is what it printed.

        """
        with ExitStack() as server:
            if not any(block.serves for block in blocks) and any("8080" in b.text for b in blocks):
                server.enter_context(self.serving(SERVE))
            for block in blocks:
                if block.serves:
                    server.close()
                    yield block, server.enter_context(self.serving(block.text)).printed
                    continue
                done = self.run(block.text)
                assert done.returncode == 0, f"line {block.line}: {done.stdout}{done.stderr}"
                yield block, done.stdout


class Serving:
    """A command that serves."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.printed = ""
        """Up to the line that says that it serves."""
        self.printed_later = ""
        """What came after that, once it has ended."""

    def wait(self) -> None:
        """Return when it serves.

        Raises:
            AssertionError: it ended instead.

        """
        assert self._process.stdout
        for line in self._process.stdout:
            self.printed += line
            if _READY.match(line):
                return
        raise AssertionError(self.printed)

    def interrupt(self) -> None:
        """Press Ctrl-C, and wait for its end."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
        self.printed_later = self._process.communicate(timeout=60)[0]
