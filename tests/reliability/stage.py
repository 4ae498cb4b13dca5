"""A server under steady load, to which something happens, and what came of it."""

import contextlib
import hashlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.models.plus import Plus
from tests.reliability.load import Load
from tests.servers.live import Response, Server
from tests.servers.processes import eventually, workers

WORKERS = 2
_CLOCK = Path(__file__).with_name("clock.c")
KEY = "admin's"


@dataclass
class Stage:
    """Where a fault takes place."""

    server: Server
    plus: Plus
    load: Load
    long: bool
    """Is there time for all of it, or is it a short form?"""
    clock: Path
    """Says by how many seconds the server's wall clock is off."""
    may_fail: float = 0
    """How many requests may be lost: what a process has that is ended."""
    over: float = 0.0
    """When the server could begin to recover."""

    def fault_is_over(self) -> None:
        """Count from now the time until the server has recovered."""
        self.over = time.monotonic()

    def change(self, operation: str) -> Response:
        """Load or unload over HTTP."""
        path = f"/v2/repository/models/plus/{operation}"
        return self.server.request("POST", path, headers={"Authorization": f"Bearer {KEY}"})

    def has_workers(self) -> bool:
        """Are all workers there, and ready?"""
        with contextlib.suppress(OSError):
            ready = self.server.request("GET", "/v2/health/ready").status == 200
            return ready and len(workers(self.server)) == WORKERS
        return False


@dataclass(frozen=True)
class Report:
    """What came of it."""

    sent: int
    wrong: list[str]
    failed: list[str]
    may_fail: float
    recovered_after: float
    """Seconds until no request failed any more and all workers were there."""


Act = Callable[[Stage], None]


@contextlib.contextmanager
def stage(models: Path, long: bool) -> Iterator[Stage]:
    """A server of two workers that looks at its repository ten times a second, under load.

    Args:
        models: the repository that ``tests.models.swapped`` makes.
        long: of the stage.

    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plus = Plus(models, folder / "models")
        plus.publish(1)
        keys = folder / "keys"
        keys.write_text(f"{hashlib.sha256(KEY.encode()).hexdigest()} admin\n")
        clock = folder / "clock"
        clock.write_text("0")
        options = ("--workers", str(WORKERS), "--poll-interval", "0.1", "--admin-keys", str(keys))
        environment = {"LD_PRELOAD": str(_build_clock(folder)), "CLOCK_OFFSET": str(clock)}
        with (
            Server("--models", str(plus.folder), *options, **environment) as server,
            Load(server.port) as load,
        ):
            load.goes_on()
            yield Stage(server, plus, load, long, clock)


def play(act: Act, on: Stage) -> Report:
    """Let something happen, wait until the server has recovered, and report."""
    begun = time.monotonic()
    act(on)
    over = on.over or begun
    assert eventually(on.has_workers)
    healthy = time.monotonic()
    on.load.goes_on(300)
    failed = [(when, what) for when, what in on.load.failed if when >= begun]
    last = max((when for when, _ in failed), default=over)
    return Report(
        sent=on.load.sent,
        wrong=list(on.load.wrong),
        failed=[what for _, what in failed],
        may_fail=on.may_fail,
        recovered_after=max(last, healthy) - over,
    )


def _build_clock(folder: Path) -> Path:
    library = folder / "clock.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(_CLOCK), "-ldl"]
    subprocess.run(command, check=True)
    return library
