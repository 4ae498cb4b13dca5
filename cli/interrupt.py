"""Being asked to stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


def on_every_signal() -> None:
    """Make a scheduler's SIGTERM and a closed terminal's SIGHUP end this process as Ctrl-C does.

    A run is then marked KILLED and temporary files go. What is ignored stays so, as under nohup.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


@dataclass
class Wish:
    """What somebody at the keyboard wants of a training."""

    after_epoch: bool = False
    """To end after this epoch: Ctrl-C."""
    at_once: bool = False
    """To end: Ctrl-C once more."""


@contextmanager
def wishes() -> Iterator[Wish]:
    """Take Ctrl-C for a wish, for as long as the block runs; the third one interrupts.

    TensorFlow may swallow an exception that a signal raises somewhere in the middle of it, and what
    a handler prints in the middle of another print may be lost. So training acts on the wish.
    """
    wish = Wish()

    def take(*_: Any) -> None:
        if not wish.after_epoch:
            wish.after_epoch = True
        else:
            wish.at_once = True
            signal.signal(signal.SIGINT, before)

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, take)
    try:
        yield wish
    finally:
        signal.signal(signal.SIGINT, before)
