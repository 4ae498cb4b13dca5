"""Validates a new version in a process of its own: can it be loaded, and are its answers right?"""

import contextlib
import resource
import shutil
from pathlib import Path

from serve.errors import StartError
from serve.models import loader
from serve.processes.messages import ControlChannel, MessageKind
from serve.settings import Settings


def validate_version(settings: Settings, text: str, folder: Path, control: ControlChannel) -> int:
    """Load and test a version, and tell the supervisor; returns the exit status of the process.

    Args:
        settings: of the server.
        text: name and number of the version, and the CPU time in seconds that it may take.
        folder: the shared folder.
        control: channel to the supervisor.

    """
    name, number, seconds = text.split(" ")
    with contextlib.suppress(OSError):
        # The kernel kills this process first if memory runs out, and also if the graph never ends.
        Path("/proc/self/oom_score_adj").write_text("1000")
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    try:
        loader.load(settings, name, int(number))
    except StartError as error:
        control.send(MessageKind.FAILED, str(error))
    else:
        control.send(MessageKind.READY)
    if control.is_alone():
        shutil.rmtree(folder, ignore_errors=True)  # the supervisor is dead
    return 0
