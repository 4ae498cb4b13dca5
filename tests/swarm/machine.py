"""A machine of the swarm: a network namespace on a bridge, with a container engine in it.

There is no way out of these namespaces. Swarm tries to pull an image before each start of a
container, and that has to fail at once.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

BRIDGE = "onnxlet0"
_NETWORK = "10.213.77"
_WITHIN_BRIDGE = ("--in-interface", BRIDGE, "--out-interface", BRIDGE, "--jump", "ACCEPT")
_SECONDS = 60
_CGROUPS = Path("/sys/fs/cgroup")


def run(*command: str | Path, check: bool = True) -> str:
    """Run a command; returns its output.

    Raises:
        RuntimeError: it failed. The message has its output.

    """
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}:\n{done.stdout[-4000:]}")
    return done.stdout


def add_bridge() -> None:
    """Connect this system, as .1, and the machines, as .2 and on."""
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "address", "add", f"{_NETWORK}.1/24", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    # An engine that runs on this system, or ran, may have it drop what bridges forward.
    run("iptables", "--insert", "FORWARD", *_WITHIN_BRIDGE)


def remove_bridge() -> None:
    """Disconnect all."""
    run("iptables", "--delete", "FORWARD", *_WITHIN_BRIDGE, check=False)
    run("ip", "link", "delete", BRIDGE, check=False)


class Machine:
    """Started when the block is entered; nothing of it is left when the block ends."""

    def __init__(self, number: int, docker: str, folder: Path) -> None:
        """Number it from 1, and keep what its engine needs in ``folder``."""
        self.name = f"onnxlet{number}"
        self.address = f"{_NETWORK}.{number + 1}"
        self._folder = folder
        self._socket = f"unix://{folder}/docker.sock"
        self.client = (docker, "--host", self._socket)
        """Docker's client, for this machine."""
        self._cgroup = f"/{self.name}"
        self._daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Machine":
        try:
            self._add_network()
            self._start_engine()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        run("umount", self._folder / "exec/netns/default", check=False)
        run("ip", "netns", "delete", self.name, check=False)
        self._remove_cgroups()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _remove_cgroups(self) -> None:
        """A cgroup can be removed some time after its processes were killed."""
        until = time.monotonic() + _SECONDS
        while (folders := sorted(_CGROUPS.glob(f"**{self._cgroup}/**/"), reverse=True)) and (
            time.monotonic() < until
        ):
            for folder in folders:
                with suppress(OSError):
                    folder.rmdir()
            time.sleep(0.1)

    def _add_network(self) -> None:
        outside = f"{self.name}-out"
        run("ip", "netns", "add", self.name)
        inside = ("type", "veth", "peer", "name", "eth0", "netns", self.name)
        run("ip", "link", "add", outside, *inside)
        run("ip", "link", "set", outside, "master", BRIDGE, "up")
        within = ("ip", "-netns", self.name)
        run(*within, "address", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            run(*within, "link", "set", device, "up")

    def _start_engine(self) -> None:
        self._folder.mkdir(parents=True)
        command = [
            *("nsenter", f"--net=/run/netns/{self.name}"),
            *("unshare", "--uts", "--mount", "--propagation", "slave", "--", "dockerd"),
            *("--data-root", self._folder / "data", "--exec-root", self._folder / "exec"),
            *("--pidfile", self._folder / "pid", "-H", self._socket),
            *("--cgroup-parent", self._cgroup),
        ]
        with (self._folder / "log").open("w") as log:
            self._daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        until = time.monotonic() + _SECONDS
        while "Server Version" not in self.docker("info", check=False):
            if self._daemon.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self._folder / "log").read_text()[-2000:])
            time.sleep(0.2)

    def docker(self, *arguments: str | Path, check: bool = True) -> str:
        """Run a command of Docker's client on this machine."""
        return run(*self.client, *arguments, check=check)

    def kill(self) -> None:
        """Power failure: everything that runs on it ends at once."""
        listed = run("ip", "netns", "pids", self.name, check=False).split()
        pids = {int(pid) for pid in listed if pid.isdecimal()}
        for file in _CGROUPS.glob(f"**{self._cgroup}/**/cgroup.procs"):
            pids |= {int(pid) for pid in file.read_text().split()}
        _end(sorted(pids))
        if self._daemon is not None:
            self._daemon.wait(_SECONDS)


def _end(pids: Sequence[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
