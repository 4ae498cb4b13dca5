"""Which models and versions the model repository contains."""

import json
import os
import signal
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bundle import labels, layout
from bundle.errors import BundleError
from serve.errors import StartError
from serve.processes.child_process import ChildProcess


@dataclass(frozen=True)
class FoundModel:
    """One model in the repository."""

    versions: dict[int, str] = field(default_factory=dict)
    """The fingerprint of each version, oldest first."""
    labels: dict[str, int] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    """See ``bundle.labels``."""
    shadow: str = ""
    problem: str = ""
    """Why its folder or its labels can't be read; empty if they can."""


def scan(root: Path) -> dict[str, FoundModel]:
    """Find the models below ``root``.

    Raises:
        BundleError: the folder does not exist or can't be read.

    """
    try:
        found = {name: _scan_model(root, name) for name in layout.models(root)}
    except OSError as error:
        raise BundleError(f"{root}: {error.strerror}") from None
    return {name: model for name, model in found.items() if model != FoundModel()}


def first_scan(root: Path, name: str | None) -> dict[str, FoundModel]:
    """Find the models at the start of the server.

    Args:
        root: of the repository.
        name: of a model that must exist; None for any.

    Raises:
        StartError: the repository can't be read, is empty, or lacks that model.

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


def _scan_model(root: Path, name: str) -> FoundModel:
    versions: dict[int, str] = {}
    try:
        for number in layout.versions(root, name):
            if fingerprint := layout.fingerprint(root, name, number):
                versions[number] = fingerprint
        if not versions:
            return FoundModel()
        known = labels.read(root, name)
        return FoundModel(versions, known.versions, known.weights, known.shadow)
    except OSError as error:
        return FoundModel(versions, problem=f"{root / name}: {error.strerror}")
    except BundleError as error:
        return FoundModel(versions, problem=str(error))


class RepositoryScan(ChildProcess):
    """A scan in a process of its own: a file system that hangs must not block the server."""

    def __init__(self, root: Path) -> None:
        """Start it. The caller has a single thread, so it may fork.

        Raises:
            OSError: the system can't start a process.

        """
        self._root = root
        self._output = b""
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
            _scan_and_write(root, writing)
        finally:
            os._exit(0)

    def fileno(self) -> int:
        """For selectors."""
        return self._reading

    def read(self) -> bool:
        """Read available output; True at the end of it."""
        data = os.read(self._reading, 65536)
        self._output += data
        return not data

    def result(self) -> dict[str, FoundModel]:
        """What it found, after the end of its output.

        Raises:
            BundleError: see ``scan``.

        """
        self.wait()
        try:
            document = json.loads(self._output)
        except ValueError:
            raise BundleError(f"{self._root}: the scan failed or took too long") from None
        if isinstance(document, str):
            raise BundleError(document)
        return {name: _from_json(model) for name, model in document.items()}

    def wait(self) -> str:
        """See ``ChildProcess.wait``."""
        os.close(self._reading)
        return super().wait()


def _scan_and_write(root: Path, writing: int) -> None:
    """Scan and write the result. This process closes everything that belongs to the supervisor."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group; this process ends soon
    os.dup2(writing, 0)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    try:
        document: object = {name: asdict(found) for name, found in scan(root).items()}
    except Exception as error:
        document = str(error) if isinstance(error, BundleError) else repr(error)
    data = json.dumps(document).encode()
    while data:
        data = data[os.write(0, data) :]


def _from_json(document: dict[str, Any]) -> FoundModel:
    """Parse a model; the keys of JSON objects are strings."""
    versions = {int(number): of for number, of in document.pop("versions").items()}
    return FoundModel(versions, **document)
