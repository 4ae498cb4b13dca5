"""Runs the tests on changed copies of the code."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from random import Random

from tests.mutation import mutants
from tests.mutation.mutants import Mutant

ROOT = Path(__file__).parent.parent.parent
_KERNEL = Path("serve/protocols/number_kernel/kernel.so")
_SHIPPED = ".venv-serve"  # an environment that tests look into
_IN_PARALLEL = ("-n", "4", "--dist", "loadfile")
_SECONDS = 900.0  # tests that take longer hang, and so have noticed


@dataclass(frozen=True)
class Tests:
    """What is run for a package, and in which environment."""

    python: Path
    folders: tuple[str, ...]

    def command(self, *files: str) -> list[str]:
        """Run these files, or all."""
        options = ("-x", "-q", "--no-header", "-p", "no:cacheprovider")
        repository = f"--repository={ROOT / 'build/test-models'}"
        command = [str(self.python), "-m", "pytest", *options, repository]
        return [*command, *(files or (*_IN_PARALLEL, *self.folders))]


_SERVING = Tests(
    ROOT / "build/serve-tests/bin/python", ("tests/bundle", "tests/serve", "tests/reliability")
)
PACKAGES = {
    "serve": _SERVING,
    "bundle": _SERVING,
    "export": Tests(ROOT / ".venv/bin/python", ("tests/export",)),
}


def sample(paths: list[str], count: int, seed: int) -> list[Mutant]:
    """Choose random changes in these files and folders; each line of code is equally likely."""
    found: dict[tuple[Path, int], list[Mutant]] = {}
    for folder in (ROOT / path for path in paths):
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*.py")):
            for mutant in mutants.of(path.relative_to(ROOT), path.read_text()):
                found.setdefault((mutant.path, mutant.line), []).append(mutant)
    random = Random(seed)
    lines = random.sample(sorted(found), min(count, len(found)))
    return [random.choice(found[line]) for line in lines]


def failing(chosen: list[Mutant], near_only: bool) -> str:
    """A test that fails on the unchanged code, of those that the changes need; "" if all pass."""
    with _copies(1) as copies:
        copy = copies.get()
        wanted: dict[Tests, set[str]] = {}
        for mutant in chosen:
            tests = PACKAGES[mutant.path.parts[0]]
            wanted.setdefault(tests, set()).update(_near(mutant, copy, tests))
        commands = (
            tests.command(*(sorted(near) if near_only else ())) for tests, near in wanted.items()
        )
        return next(filter(None, (_failed(copy, command) for command in commands)), "")


def outcomes(chosen: list[Mutant], processes: int, near_only: bool) -> Iterator[tuple[Mutant, str]]:
    """Run the tests on each change; yields the test that noticed it, or "".

    Args:
        chosen: the changes.
        processes: how many to test at a time.
        near_only: run only the test files of the changed module, where there are any.

    """
    with _copies(processes) as copies, ThreadPoolExecutor(processes) as pool:

        def noticed(mutant: Mutant) -> str:
            copy = copies.get()
            try:
                return _noticed(mutant, copy, near_only)
            finally:
                copies.put(copy)

        yield from zip(chosen, pool.map(noticed, chosen), strict=True)


@contextmanager
def _copies(count: int) -> Iterator["SimpleQueue[Path]"]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [Path(line) for line in listed.stdout.splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(count):
            copy = Path(folder) / str(number)
            for file in (*files, _KERNEL):
                (copy / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / file, copy / file)
            (copy / _SHIPPED).symlink_to(ROOT / _SHIPPED)
            copies.put(copy)
        yield copies


def _noticed(mutant: Mutant, copy: Path, near_only: bool) -> str:
    source = (ROOT / mutant.path).read_text()
    (copy / mutant.path).write_text(mutant.apply(source))
    tests = PACKAGES[mutant.path.parts[0]]
    try:
        near = _near(mutant, copy, tests)
        if near and (failed := _failed(copy, tests.command(*near))):
            return failed
        return "" if near and near_only else _failed(copy, tests.command())
    finally:
        (copy / mutant.path).write_text(source)


def _near(mutant: Mutant, copy: Path, tests: Tests) -> list[str]:
    """The files of tests that are named after the module or import it: they notice most, soon."""
    module = mutant.path.stem
    imports = re.compile(rf"^(from|import) [\w.]*\b.*\b{module}\b", re.MULTILINE)
    files = [path for folder in tests.folders for path in (copy / folder).rglob("test_*.py")]
    near = [path for path in files if path.name == f"test_{module}.py"]
    near += [path for path in files if path not in near and imports.search(path.read_text())]
    return [str(path.relative_to(copy)) for path in near[:4]]


def _failed(copy: Path, command: list[str]) -> str:
    """The test that failed; nothing where none did."""
    try:
        done = subprocess.run(
            command, cwd=copy, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return "the time limit"
    if done.returncode == 0:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return found[1] if found else "pytest"
