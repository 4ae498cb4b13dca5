"""Docker's client and Compose, under whatever names this machine has them."""

import os
import re
import shutil
import subprocess

from tests.suite import programs
from tests.suite.programs import MissingError

# Releases differ in how they split Docker: of each group, the first that there is gets installed.
_PACKAGES = (
    *(("docker.io",), ("docker-cli",), ("docker-buildx",), ("docker-compose-v2", "docker-compose")),
    *(("debootstrap",), ("zstd",), ("podman",)),
    *(("catatonit",), ("containernetworking-plugins", "netavark")),
)


def require() -> None:
    """Have what the tests of the images call: as root on Debian and Ubuntu, install it.

    Without an engine that answers, and without root, nothing is required: those tests are skipped.

    Raises:
        MissingError: something is missing, and can't be installed here.

    """
    if answers():
        programs.require([programs.ZSTD])
        if compose() is None:
            raise MissingError("missing: docker compose; sudo apt-get install docker-compose")
    elif can_start() and not _is_complete():
        programs.install(_PACKAGES)


def can_start() -> bool:
    """May an engine be installed and started here?"""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def client() -> str | None:
    """The first client on the PATH that builds with BuildKit; None where there is none.

    Since version 23 that needs the plugin buildx, which some clients come without.
    """
    for folder in os.get_exec_path():
        found = shutil.which("docker", path=folder)
        if found and (_succeeds(found, "buildx", "version") or _has_buildkit(found)):
            return found
    return None


def compose() -> list[str] | None:
    """The command that runs Compose, as a plugin of the client or by itself."""
    docker = client()
    if docker and _succeeds(docker, "compose", "version"):
        return [docker, "compose"]
    alone = shutil.which("docker-compose")
    return [alone] if alone else None


def answers(environment: dict[str, str] | None = None) -> bool:
    """Is there an engine that the client can talk to?"""
    docker = client()
    return docker is not None and _succeeds(docker, "version", environment=environment)


def _is_complete() -> bool:
    programs = map(shutil.which, ("dockerd", "debootstrap", "podman", "zstd"))
    return all(programs) and compose() is not None


def _has_buildkit(docker: str) -> bool:
    done = subprocess.run([docker, "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"version (\d+)", done.stdout)
    return version is not None and int(version[1]) < 23


def _succeeds(*command: str, environment: dict[str, str] | None = None) -> bool:
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    return done.returncode == 0
