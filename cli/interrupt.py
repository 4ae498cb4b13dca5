"""Ctrl-C and other signals that ask a command to stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


def on_every_signal() -> None:
    """Make SIGTERM (of a scheduler) and SIGHUP (of a closed terminal) act like Ctrl-C.

    Runs are then marked KILLED, and temporary files are removed. An ignored signal stays ignored,
    as under nohup.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


@dataclass
class StopRequest:
    """How training was asked to stop."""

    after_epoch: bool = False
    """After this epoch: Ctrl-C."""
    at_once: bool = False
    """Now: Ctrl-C a second time."""


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Turn Ctrl-C into a request while the block runs; a third Ctrl-C interrupts as usual.

    TensorFlow may swallow an exception that a signal handler raises, and output of a handler may be
    lost. So the handler only takes a note, and training acts on it.
    """
    request = StopRequest()

    def take(*_: Any) -> None:
        if not request.after_epoch:
            request.after_epoch = True
        else:
            request.at_once = True
            signal.signal(signal.SIGINT, before)

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, take)
    try:
        yield request
    finally:
        signal.signal(signal.SIGINT, before)
