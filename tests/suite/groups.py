"""The groups of tests, each in the environment that it tests."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
RESULTS = Path("build/test-results")
MODELS = Path("build/test-models")
PROCESSES = max(2, min(os.cpu_count() or 1, 4))  # a process of TensorFlow takes 0.6 GB


@dataclass(frozen=True)
class Group:
    """Tests that run in one environment."""

    name: str
    python: str
    arguments: tuple[str, ...]

    @property
    def log(self) -> Path:
        """Where the output of a group that runs in the background goes."""
        return ROOT / RESULTS / f"{self.name}.log"

    @property
    def report(self) -> Path:
        """What pytest writes for the summary (JUnit XML)."""
        return ROOT / RESULTS / f"{self.name}.xml"

    def start(self, *, in_background: bool) -> "Running":
        """Run the tests; in the background, their output goes to a file until they are done."""
        self.report.parent.mkdir(parents=True, exist_ok=True)
        self.report.unlink(missing_ok=True)
        command = [self.python, "-m", "pytest", f"--junitxml={self.report}", *self.arguments]
        command.append(f"--repository={MODELS}")
        if not in_background:
            return Running(self, subprocess.Popen(command, cwd=ROOT), shown=True)
        with self.log.open("wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        return Running(self, process, shown=False)


class Running:
    """A group while its tests run."""

    def __init__(self, group: Group, process: "subprocess.Popen[bytes]", *, shown: bool) -> None:
        self.group = group
        self._process = process
        self._shown = shown

    def wait(self) -> int:
        """Until its tests are done; returns the exit status of pytest."""
        status = self._process.wait()
        if not self._shown:
            sys.stdout.write(self.group.log.read_text(errors="replace"))
            sys.stdout.flush()
        return status


_IN_PARALLEL = ("-n", str(PROCESSES), "--dist", "loadfile", "--no-loadscope-reorder")
_SERVING = ("tests/bundle", "tests/reliability", "tests/serve")
ALL = {
    group.name: group
    for group in (
        Group(
            "development",
            ".venv/bin/python",
            (*_IN_PARALLEL, "tests", *(f"--ignore={path}" for path in _SERVING)),
        ),
        # In an environment that has what is shipped, and pytest.
        Group(
            "serving",
            "build/serve-tests/bin/python",
            (*_IN_PARALLEL, *_SERVING),
        ),
        # Its fixtures build the images, which takes minutes.
        Group("images", ".venv/bin/python", ("--images", "--timeout=1200", "tests/images")),
    )
}
