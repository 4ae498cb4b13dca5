"""The folder in which workers share their metrics, as far as the supervisor deals with it."""

import os
import tempfile
from pathlib import Path

from serve.errors import StartError

_MEMORY = "/dev/shm"  # noqa: S108 - mkdtemp makes a private folder there; no disk is written


def create() -> Path:
    """Make it, with this process's id in its name; the caller removes it in the end.

    Raises:
        StartError: none can be made.

    """
    prefix = f"onnxlet-{os.getpid()}-"
    for parent in (_MEMORY, tempfile.gettempdir()):
        try:
            return Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        except OSError:
            continue
    raise StartError(
        f"nowhere to keep the metrics that workers share: neither {_MEMORY} nor"
        f" {tempfile.gettempdir()} can be written to; mount a tmpfs there"
    )


def live_name(slot: int) -> str:
    """Name of the files in which a worker says what it is doing now."""
    return f"living-{slot}"


def forget_gauges(folder: Path, slot: int) -> None:
    """Forget what a worker that has ended was doing; its counts stay."""
    for path in folder.glob(f"{live_name(slot)}.*"):
        path.unlink()
