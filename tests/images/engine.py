"""A container engine for tests: the one that runs, else one of our own from Debian's packages."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.images import docker

BASE = "debian:trixie-slim"
CA_FILE = Path("/etc/ssl/certs/ca-certificates.crt")
_SECONDS = 60
# The engine gets mounts of its own, which end with it. This system's root becomes the root of all
# of them: in a chroot it is not, and containers could not be entered there.
_OWN_MOUNTS = (
    *("unshare", "--mount", "--propagation", "unchanged"),
    *("nsenter", "--mount=/proc/self/ns/mnt", "--wd=/", "sh", "-ec"),
    'mount --make-rprivate /; mount --rbind . ".$0"; cd ".$0"; pivot_root . .; umount -l .;'
    ' exec dockerd "$@"',
)


class NoEngineError(Exception):
    """There is none, and none can be had."""


class Engine:
    """Docker's client, and what it talks to."""

    def __init__(self, folder: Path) -> None:
        """Keep what an engine of our own needs in ``folder``."""
        self._folder = folder
        self._daemon: subprocess.Popen[bytes] | None = None
        self._before: dict[str, str] = {}
        self.environment = dict(os.environ)

    def start(self) -> None:
        """Find one that runs, or start one; and have the base image there.

        Raises:
            NoEngineError: that can't be.

        """
        if docker.answers():
            return  # it pulls the base image by itself
        if not docker.can_start():
            raise NoEngineError("no container engine answers; only root on Debian can start one")
        try:
            self._start_own()
        except BaseException:
            self.stop()
            raise

    def _start_own(self) -> None:
        self.environment["DOCKER_HOST"] = f"unix://{self._folder}/docker.sock"
        root = self._folder / "root"
        root.mkdir()
        command = [
            *(*_OWN_MOUNTS, root),
            *("--data-root", self._folder / "data", "--exec-root", self._folder / "exec"),
            *("--pidfile", self._folder / "pid", "-H", self.environment["DOCKER_HOST"]),
        ]
        with (self._folder / "log").open("w") as log:
            self._daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        until = time.monotonic() + _SECONDS
        while not docker.answers(self.environment):
            if self._daemon.poll() is not None or time.monotonic() > until:
                raise NoEngineError((self._folder / "log").read_text()[-2000:])
            time.sleep(0.2)
        self._make_base()

    def _make_base(self) -> None:
        """A stand-in for Debian's image, from Debian's packages: no registry is asked."""
        base = self._folder / "base"
        _run("debootstrap", "--variant=minbase", "trixie", base)
        script = 'tar -C "$1" --numeric-owner -c . | "$0" import -c \'CMD ["bash"]\' - "$2"'
        _run("sh", "-c", script, str(docker.client()), base, BASE, env=self.environment)
        shutil.rmtree(base)

    def stop(self) -> None:
        """End an engine of our own, with all that it holds; leave another as it was."""
        if self._daemon is None:
            self._restore_images()
            return
        self._daemon.send_signal(signal.SIGTERM)
        self._daemon.wait(_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _restore_images(self) -> None:
        for tag, image in self._before.items():
            self.docker("image", "rm", "--force", tag, check=False)
            if image:
                self.docker("tag", image, tag)

    def docker(self, *arguments: str | Path, check: bool = True) -> str:
        """Run a command of Docker's client; what it printed on both of its outputs."""
        return _run(str(docker.client()), *arguments, env=self.environment, check=check)

    def compose(self, project: str, *arguments: str, **environment: str) -> str:
        """Run a command of Compose, with the compose.yaml of the repository."""
        command = (*(docker.compose() or ()), "--project-name", project, *arguments)
        return _run(*command, env=self.environment | environment)

    def build(self, tag: str, *arguments: str | Path) -> None:
        """Build an image; where certificates of this machine are needed, the build gets them."""
        if tag not in self._before:
            found = self.docker("images", "--quiet", "--no-trunc", tag)
            self._before[tag] = found.strip()
        secret = ("--secret", f"id=ca,src={CA_FILE}") if CA_FILE.exists() else ()
        environment = self.environment | {"DOCKER_BUILDKIT": "1"}
        command = (str(docker.client()), "build", "--tag", tag, *secret, *arguments)
        _run(*command, env=environment)


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
