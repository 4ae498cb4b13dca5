"""Accepts connections, and passes each to the worker that has the fewest.

A few long-lived connections are thus distributed as evenly as a thousand. A worker that does not
answer pings gets connections only if no other worker does.
"""

import logging
import selectors
import socket
import time
from collections.abc import Sequence

from serve.processes.messages import MessageKind
from serve.processes.worker_process import WorkerProcess
from serve.supervisor.listener import BACKLOG

log = logging.getLogger("serve")


class ConnectionBalancer:
    """Accepts connections while there are workers for them."""

    def __init__(
        self,
        listener: socket.socket,
        selector: selectors.BaseSelector,
        workers: Sequence[WorkerProcess],
    ) -> None:
        """Accept no connections yet.

        Args:
            listener: non-blocking.
            selector: on which the supervisor waits; its data are functions to call.
            workers: the living workers, at any time.

        """
        self._listener = listener
        self._selector = selector
        self._workers = workers
        self._accepting = False
        self._dropped = 0  # connections, not reported yet

    def serving(self) -> list[WorkerProcess]:
        """The workers that get connections."""
        return [worker for worker in self._workers if worker.ready and not worker.draining]

    def accept_if_served(self, is_stopped: bool) -> None:
        """Accept connections if there are workers for them; else they wait in the backlog."""
        wanted = bool(self.serving()) and not is_stopped
        if wanted and not self._accepting:
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        elif self._accepting and not wanted:
            self._selector.unregister(self._listener)
        self._accepting = wanted

    def accept_rest(self) -> None:
        """Accept the connections that wait in the backlog, and no more after them."""
        for _ in range(BACKLOG if self._accepting else 0):
            if not self._accept():
                break
        self.accept_if_served(is_stopped=True)

    def _accept(self) -> bool:
        """Accept a connection; returns whether there was one."""
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return False  # the client has already closed it
        except OSError as error:
            log.error("cannot accept a connection: %s", error.strerror)
            time.sleep(
                0.1
            )  # perhaps no descriptors are left; meanwhile the backlog keeps the clients
            return False
        with connection:
            for worker in sorted(self.serving(), key=_load):
                if worker.control.send(MessageKind.CONNECTION, hand_over=connection):
                    worker.connections += 1
                    return True
        self._dropped += 1
        return True

    def report(self) -> None:
        """Log the connections that no worker took, and let a worker count them."""
        if not self._dropped:
            return
        for worker in self.serving():
            if worker.control.send(MessageKind.DROPPED, str(self._dropped)):
                log.error("closed %d connections that no worker took", self._dropped)
                self._dropped = 0
                return


def _load(worker: WorkerProcess) -> tuple[bool, int]:
    return worker.is_silent, worker.connections
