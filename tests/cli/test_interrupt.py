import signal
import subprocess
import sys

import pytest

from tests.conftest import ROOT, python_environment

WAITING = """
import sys, time
from cli import interrupt
interrupt.on_every_signal()
try:
    print("waiting", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_command_as_ctrl_c_does(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING],
        cwd=ROOT,
        env=python_environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(number)
        assert process.wait(60) == 130


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    """As under nohup."""
    code = (
        "import os, signal; from cli import interrupt\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "interrupt.on_every_signal()\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
        "print('still here')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "still here\n"
