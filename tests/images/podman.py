"""podman, with storage and settings of its own."""

import os
import shutil
import subprocess
from pathlib import Path

# crun fails where cgroups of both versions are mounted. Limits must not exceed this system's.
_SETTINGS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


def can_run() -> bool:
    """Is there a podman, and may it be used as root?"""
    return os.geteuid() == 0 and shutil.which("podman") is not None


class Podman:
    """What it holds is removed when the block ends."""

    def __init__(self, folder: Path) -> None:
        """Keep everything in ``folder``."""
        self._folder = folder
        settings = folder / "containers.conf"
        settings.write_text(_SETTINGS)
        self._environment = os.environ | {"CONTAINERS_CONF": str(settings)}
        self._command = [
            *("podman", "--root", str(folder / "root"), "--runroot", str(folder / "run")),
            *("--tmpdir", str(folder / "tmp")),
        ]

    def __enter__(self) -> "Podman":
        return self

    def __exit__(self, *_: object) -> None:
        self("pod", "rm", "--all", "--force", check=False)
        self("volume", "rm", "--all", "--force", check=False)
        self("image", "rm", "--all", "--force", check=False)

    def __call__(self, *arguments: str | Path, check: bool = True) -> str:
        """Run a command of podman's; returns its standard output."""
        done = subprocess.run(
            [*self._command, *map(str, arguments)],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(f"podman {' '.join(map(str, arguments))}:\n{done.stderr[-4000:]}")
        return done.stdout
