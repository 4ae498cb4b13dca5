"""The folder that all processes of a server share: the serving plan and the metrics."""

import os
import tempfile
from pathlib import Path

from serve.errors import StartError

_MEMORY = "/dev/shm"  # noqa: S108 - mkdtemp makes a private folder there; no disk is written


def create() -> Path:
    """Create the folder, with the process id in its name. The caller removes it at the end.

    Raises:
        StartError: no folder can be created.

    """
    prefix = f"onnxlet-{os.getpid()}-"
    for parent in (_MEMORY, tempfile.gettempdir()):
        try:
            return Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        except OSError:
            continue
    raise StartError(
        f"no folder for the metrics of the workers: neither {_MEMORY} nor {tempfile.gettempdir()}"
        " is writable; mount a tmpfs there"
    )


def live_name(slot: int) -> str:
    """Name of the files with the values that only count while a worker lives."""
    return f"live-{slot}"


def forget_live_values(folder: Path, slot: int) -> None:
    """Remove the values of a worker that has ended; its counters stay."""
    for path in folder.glob(f"{live_name(slot)}.*"):
        path.unlink()
