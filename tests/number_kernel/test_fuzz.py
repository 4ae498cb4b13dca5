"""The fuzzing harness works: it runs clean on the kernel, and finds what is broken in one."""

import shutil
import subprocess
from pathlib import Path

import pytest

from serve.protocols.number_kernel import library
from tests.number_kernel import fuzz

pytestmark = pytest.mark.skipif(
    shutil.which("clang") is None, reason="there is no clang; on Debian: apt-get install clang"
)
RUNS = "-runs=50000"


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    program = fuzz.compile_harness(folder)
    command = [str(program), *fuzz.prepare(folder), RUNS, "-seed=1", f"-artifact_prefix={folder}/"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_nothing_is_found_in_fifty_thousand_runs(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done 50000 runs" in done.stderr


@pytest.mark.parametrize(
    ("right", "wrong"), [("end - p >= 16 &&", "end - p >= 6 &&"), ("if (at == most)", "if (0)")]
)
def test_a_broken_kernel_is_found(
    right: str, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).parent.parent.parent
    changed = 0
    for source in (*library.SOURCES, fuzz.SOURCE):
        copy = tmp_path / source.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text()
        changed += text.count(right)
        copy.write_text(text.replace(right, wrong))
    assert changed == 1
    monkeypatch.setattr(fuzz, "SOURCE", tmp_path / fuzz.SOURCE.relative_to(root))
    done = run(tmp_path)
    assert done.returncode != 0
    assert "heap-buffer-overflow" in done.stderr
