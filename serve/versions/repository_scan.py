"""What lies in the model repository, as a look at it tells."""

import json
import os
import signal
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bundle import layout
from bundle.errors import BundleError
from serve.errors import StartError
from serve.processes import worker_process


@dataclass(frozen=True)
class FoundModel:
    """One model."""

    versions: dict[int, str] = field(default_factory=dict)
    """The stamp of each, oldest first."""
    labels: dict[str, int] = field(default_factory=dict)
    problem: str = ""
    """Why its folder or its labels can't be read."""


def scan(root: Path) -> dict[str, FoundModel]:
    """Look at the models under ``root``.

    Raises:
        BundleError: there is no such folder, or it can't be read.

    """
    try:
        found = {name: _look(root, name) for name in layout.models(root)}
    except OSError as error:
        raise BundleError(f"{root}: {error.strerror}") from None
    return {name: model for name, model in found.items() if model != FoundModel()}


def first_scan(root: Path, name: str | None) -> dict[str, FoundModel]:
    """Look at a repository that is to be served.

    Args:
        root: of the repository.
        name: of a model that must be there; None for any.

    Raises:
        StartError: it can't be read, or there is no model, or not that one.

    """
    try:
        found = scan(root)
    except BundleError as error:
        raise StartError(str(error)) from None
    if not found:
        raise StartError(f"{root}: no model here; `python -m export` publishes one")
    if name and name not in found:
        raise StartError(f"{root}: no model {name!r}; there is {', '.join(found)}")
    return found


def _look(root: Path, name: str) -> FoundModel:
    versions: dict[int, str] = {}
    try:
        for number in layout.versions(root, name):
            if fingerprint := layout.fingerprint(root, name, number):
                versions[number] = fingerprint
        return FoundModel(versions, layout.labels(root, name) if versions else {})
    except OSError as error:
        return FoundModel(versions, problem=f"{root / name}: {error.strerror}")
    except BundleError as error:
        return FoundModel(versions, problem=str(error))


class RepositoryScan:
    """A look by a process of its own.

    A file system that hangs, or is slow, shall not keep the supervisor from its connections.
    """

    def __init__(self, root: Path) -> None:
        """Begin. The caller has a single thread, so that it may fork.

        Raises:
            OSError: the system lets no process begin.

        """
        self._root = root
        self._said = b""
        self._reading, writing = os.pipe()
        try:
            self.pid = os.fork()
        except OSError:
            os.close(self._reading)
            os.close(writing)
            raise
        if self.pid:
            os.close(writing)
            return
        try:
            _tell(root, writing)
        finally:
            os._exit(0)

    def fileno(self) -> int:
        """For selectors."""
        return self._reading

    def read(self) -> bool:
        """Take what it says, of which there is some; True at the end."""
        said = os.read(self._reading, 65536)
        self._said += said
        return not said

    def result(self) -> dict[str, FoundModel]:
        """What it found; call it at the end.

        Raises:
            BundleError: as ``scan``.

        """
        self.forget()
        try:
            document = json.loads(self._said)
        except ValueError:
            raise BundleError(f"{self._root}: looking at it failed or took too long") from None
        if isinstance(document, str):
            raise BundleError(document)
        return {name: _found(**told) for name, told in document.items()}

    def forget(self) -> None:
        """Let go of it, which has ended or is about to."""
        os.close(self._reading)
        worker_process.reap(self.pid)

    def kill(self) -> None:
        """End it at once, though one that a file system holds ends only when that lets go."""
        os.kill(self.pid, signal.SIGKILL)


def _tell(root: Path, writing: int) -> None:
    """Look, and say what was found. All else that this process has is the supervisor's."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the group's; it ends by itself, and soon
    os.dup2(writing, 0)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    try:
        document: object = {name: asdict(found) for name, found in scan(root).items()}
    except Exception as error:
        document = str(error) if isinstance(error, BundleError) else repr(error)
    said = json.dumps(document).encode()
    while said:
        said = said[os.write(0, said) :]


def _found(versions: dict[str, str], labels: dict[str, int], problem: str) -> FoundModel:
    """From JSON, whose keys are texts."""
    return FoundModel(
        {int(number): fingerprint for number, fingerprint in versions.items()}, labels, problem
    )
