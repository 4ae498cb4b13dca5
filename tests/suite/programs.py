"""The programs that tests call, where they are found, and how Debian and Ubuntu install them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class MissingError(Exception):
    """Programs are missing. The message names them, and the command that installs them."""


@dataclass(frozen=True)
class Program:
    """A program under all of its names, and the packages that bring it, the usual one first."""

    names: tuple[str, ...]
    packages: tuple[str, ...]

    def path(self) -> str | None:
        """Where it is; None where it is not."""
        # Debian keeps PostgreSQL's programs off the PATH, in a folder for each release.
        folders = (*os.get_exec_path(), *map(str, Path("/usr/lib/postgresql").glob("*/bin")))
        paths = (shutil.which(name, path=os.pathsep.join(folders)) for name in self.names)
        return next(filter(None, paths), None)


CHROMIUM = Program(
    ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    ("chromium", "chromium-browser"),
)
INITDB = Program(("initdb",), ("postgresql",))
ALL = (
    Program(("cc",), ("build-essential",)),
    CHROMIUM,
    Program(("curl",), ("curl",)),
    Program(("git",), ("git",)),
    INITDB,
    Program(("npm",), ("npm",)),
    Program(("prometheus",), ("prometheus",)),
    Program(("wrk",), ("wrk",)),
)
ZSTD = Program(("zstd",), ("zstd",))


def missing(wanted: Sequence[Program]) -> list[Program]:
    """Those that are not there."""
    return [program for program in wanted if program.path() is None]


def require(wanted: Sequence[Program]) -> None:
    """Have programs there: as root on Debian and Ubuntu, install what is missing.

    Raises:
        MissingError: some are missing, and can't be installed here.

    """
    lacking = missing(wanted)
    if not lacking:
        return
    names = ", ".join(program.names[0] for program in lacking)
    packages = [program.packages[0] for program in lacking]
    if shutil.which("apt-get") is None:
        raise MissingError(f"missing: {names}; install them with this system's package manager")
    if os.geteuid() != 0:
        raise MissingError(f"missing: {names}; sudo apt-get install {' '.join(packages)}")
    install([program.packages for program in lacking])
    if lacking := missing(wanted):
        names = ", ".join(program.names[0] for program in lacking)
        raise MissingError(f"missing, although packages were installed for them: {names}")


def install(alternatives: Sequence[Sequence[str]]) -> None:
    """Install, of each group of packages, the first that this release has, if it has one.

    Raises:
        MissingError: apt-get failed.

    """
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    quiet = ("apt-get", "-qq", "-o", "Dpkg::Use-Pty=0")
    _apt([*quiet, "update"], environment)
    known = [next(filter(_is_known, group), None) for group in alternatives]
    packages = list(filter(None, known))
    print(f"installing {' '.join(packages)}", flush=True)
    _apt([*quiet, "install", "--yes", "--no-install-recommends", *packages], environment)


def _apt(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stdout)
        raise MissingError(f"{' '.join(command)} failed")


def _is_known(package: str) -> bool:
    command = ["apt-cache", "show", "--no-all-versions", package]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
