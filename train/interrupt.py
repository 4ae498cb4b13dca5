"""Being asked to stop."""

import signal


def on_every_signal() -> None:
    """Make a scheduler's SIGTERM and a closed terminal's SIGHUP end this process as Ctrl-C does.

    A run is then marked KILLED and temporary files go. What is ignored stays so, as under nohup.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
