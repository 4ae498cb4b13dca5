"""CPU time of a process tree: whatever its processes are, and whether they still are."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.system.monitor import CpuMonitor
from benchmarks.system.process_tree import ProcessTree

# Each child burns 0.3 s of CPU time; the first exits, the second stays, with a child that exited.
PARENT = """
import os, subprocess, sys, time
burn = "import time\\nwhile time.process_time() < 0.3: pass\\n"
subprocess.run([sys.executable, "-c", burn], check=True)
print("one", flush=True)
sys.stdin.readline()
nested = f"import subprocess, sys\\nsubprocess.run([sys.executable, '-c', {burn!r}])\\n" + burn
staying = subprocess.Popen(
    [sys.executable, "-c", nested + "print('two', flush=True)\\nimport sys; sys.stdin.readline()"]
)
staying.wait()
"""


def test_new_and_exited_children_count() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        tree = ProcessTree(process.pid)
        assert process.stdout.readline() == "one\n"
        after_one = tree.cpu_seconds()
        with CpuMonitor(tree) as monitor:
            process.stdin.write("go on\n")
            process.stdin.flush()
            assert process.stdout.readline() == "two\n"
        after_two = tree.cpu_seconds()
        by_process = tree.cpu_seconds_by_process()
        assert next(iter(by_process)) == process.pid
        assert len(by_process) == 2
        assert tree.memory_mib() > 5
        process.stdin.write("end\n")
    assert after_one >= 0.29  # the system counts in ticks of 0.01 s
    assert after_two - after_one >= 0.58
    began, ended = monitor.samples[0][0], monitor.samples[-1][0]
    assert monitor.cpu_seconds(began, ended) == pytest.approx(after_two - after_one, abs=0.1)
    assert monitor.cpu_seconds(ended, ended + 1) == 0


def test_a_monitor_interpolates(tmp_path: Path) -> None:
    monitor = CpuMonitor(ProcessTree(0))
    monitor.samples = [(10.0, 1.0), (11.0, 2.0), (12.0, 6.0)]
    assert monitor.cpu_seconds(10.5, 11.25) == pytest.approx(1.5)
