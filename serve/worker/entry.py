"""What a forked process runs: a worker, or the validation of a version."""

from pathlib import Path

from serve.processes.forkserver import Run
from serve.processes.messages import ControlChannel, Message, MessageKind
from serve.processes.worker_slot import WorkerSlot
from serve.settings import Settings


def load_code() -> Run:
    """Import what forked processes need; only the forkserver calls it."""
    from serve.worker.validate_version import validate_version
    from serve.worker.worker import Worker

    def run(
        settings: Settings,
        address: tuple[str, int],
        folder: Path,
        control: ControlChannel,
        message: Message,
    ) -> int:
        kind, text, _ = message
        if kind is MessageKind.VALIDATE:
            return validate_version(settings, text, folder, control)
        worker = Worker(settings, control.on_top(), address, folder)
        return worker.run(WorkerSlot.from_text(text))

    return run
