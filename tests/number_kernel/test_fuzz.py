"""The fuzzing harness works: it runs clean on the kernel, and finds what is broken in one."""

import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from serve.protocols.number_kernel import library
from tests.number_kernel import fuzz

MANY = 500_000  # which takes about 20 s
ENOUGH = 50_000  # for what is broken to be found


@pytest.fixture(autouse=True)
def _clang() -> None:
    if reason := missing():
        pytest.skip(f"{reason}; on Debian: apt-get install clang")


@functools.cache
def missing() -> str:
    """What fuzzing lacks here; its libraries may come in packages of their own."""
    if shutil.which("clang") is None:
        return "there is no clang"
    with tempfile.TemporaryDirectory() as folder:
        harness = Path(folder, "empty.c")
        harness.write_text(
            "int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long size)"
            " { return !data && size; }"
        )
        program = Path(folder, "empty")
        command = ["clang", *fuzz.OPTIONS, "-o", str(program), str(harness)]
        for each in (command, [str(program), "-runs=1"]):
            if subprocess.run(each, capture_output=True, check=False).returncode:
                return "clang can't make a program with libFuzzer and the sanitizers"
    return ""


def run(folder: Path, runs: int) -> subprocess.CompletedProcess[str]:
    program = fuzz.compile_harness(folder)
    # Linux counts the peak memory of the process that starts this one, which may have TensorFlow.
    options = [f"-runs={runs}", "-seed=1", "-rss_limit_mb=0", f"-artifact_prefix={folder}/"]
    command = [str(program), *fuzz.prepare(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_nothing_is_found_in_half_a_million_runs(tmp_path: Path) -> None:
    done = run(tmp_path, MANY)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"Done {MANY} runs" in done.stderr


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
    done = run(tmp_path, ENOUGH)
    assert done.returncode != 0
    assert "heap-buffer-overflow" in done.stderr
