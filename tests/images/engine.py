"""A container engine for tests: the one that runs, else one of our own from Debian's packages."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

BASE = "debian:trixie-slim"
PACKAGES = ("docker.io", "docker-compose", "debootstrap", "zstd")
CA_FILE = Path("/etc/ssl/certs/ca-certificates.crt")
_SECONDS = 60


class NoEngineError(Exception):
    """There is none, and none can be had."""


class Engine:
    """Docker's client, and what it talks to."""

    def __init__(self, folder: Path) -> None:
        """Keep what an engine of our own needs in ``folder``."""
        self._folder = folder
        self._daemon: subprocess.Popen[bytes] | None = None
        self.environment = dict(os.environ)

    def start(self) -> None:
        """Find one that runs, or start one; and have the base image there.

        Raises:
            NoEngineError: that can't be.

        """
        if _answers(self.environment):
            return  # it pulls the base image by itself
        if os.geteuid() != 0:
            raise NoEngineError("no container engine answers, and only root can start one")
        try:
            self._start_own()
        except BaseException:
            self.stop()
            raise

    def _start_own(self) -> None:
        if not all(map(shutil.which, ("dockerd", "docker-compose", "debootstrap", "zstd"))):
            _run("apt-get", "update", "-qq")
            _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES)
        self.environment["DOCKER_HOST"] = f"unix://{self._folder}/docker.sock"
        command = [
            *("/usr/sbin/dockerd", "--data-root", self._folder / "data"),
            *("--exec-root", self._folder / "exec", "--pidfile", self._folder / "pid"),
            *("-H", self.environment["DOCKER_HOST"]),
        ]
        with (self._folder / "log").open("w") as log:
            self._daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        until = time.monotonic() + _SECONDS
        while not _answers(self.environment):
            if self._daemon.poll() is not None or time.monotonic() > until:
                raise NoEngineError((self._folder / "log").read_text()[-2000:])
            time.sleep(0.2)
        self._make_base()

    def _make_base(self) -> None:
        """A stand-in for Debian's image, from Debian's packages: no registry is asked."""
        base = self._folder / "base"
        _run("debootstrap", "--variant=minbase", "trixie", base)
        script = (
            'tar -C "$0" --numeric-owner -c . | /usr/bin/docker import -c \'CMD ["bash"]\' - "$1"'
        )
        _run("sh", "-c", script, base, BASE, env=self.environment)
        shutil.rmtree(base)

    def stop(self) -> None:
        """End an engine of our own, with all that it holds."""
        if self._daemon is None:
            return
        self._daemon.send_signal(signal.SIGTERM)
        self._daemon.wait(_SECONDS)
        namespaces = self._folder / "exec/netns/default"
        subprocess.run(["umount", namespaces], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def docker(self, *arguments: str | Path, check: bool = True) -> str:
        """Run a command of Docker's client; what it printed on both of its outputs."""
        return _run("/usr/bin/docker", *arguments, env=self.environment, check=check)

    def compose(self, project: str, *arguments: str, **environment: str) -> str:
        """Run a command of docker-compose, with the compose.yaml of the repository."""
        command = ("docker-compose", "--project-name", project, *arguments)
        return _run(*command, env=self.environment | environment)

    def build(self, *arguments: str | Path) -> None:
        """Build an image; where certificates of this machine are needed, the build gets them."""
        secret = ("--secret", f"id=ca,src={CA_FILE}") if CA_FILE.exists() else ()
        environment = self.environment | {"DOCKER_BUILDKIT": "1"}
        _run("/usr/bin/docker", "build", *secret, *arguments, env=environment)


def _answers(environment: dict[str, str]) -> bool:
    try:
        command = ["/usr/bin/docker", "version"]
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def _run(*command: str | Path, env: dict[str, str] | None = None, check: bool = True) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=Path(__file__).parent.parent.parent,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}:\n{done.stdout[-4000:]}")
    return done.stdout
