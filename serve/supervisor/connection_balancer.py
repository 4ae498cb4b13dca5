"""Takes connections, and gives each to the worker that has the fewest.

So a handful of long-lived connections is shared out as evenly as a thousand. A worker that does
not answer, or not as yet, gets none as long as another does.
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
    """The listening socket, while there are workers for its connections."""

    def __init__(
        self,
        listener: socket.socket,
        selector: selectors.BaseSelector,
        workers: Sequence[WorkerProcess],
    ) -> None:
        """Take no connections as yet.

        Args:
            listener: non-blocking.
            selector: that the supervisor waits with; its data are functions to call.
            workers: those that live, at any time.

        """
        self._listener = listener
        self._selector = selector
        self._workers = workers
        self._accepting = False
        self._lost = 0  # connections, not reported as yet

    def serving(self) -> list[WorkerProcess]:
        """The workers that take connections."""
        return [worker for worker in self._workers if worker.ready and not worker.draining]

    def accept_if_served(self, is_stopped: bool) -> None:
        """Take connections only while somebody is there for them; else they wait in the backlog."""
        wanted = bool(self.serving()) and not is_stopped
        if wanted and not self._accepting:
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        elif self._accepting and not wanted:
            self._selector.unregister(self._listener)
        self._accepting = wanted

    def accept_rest(self) -> None:
        """Take the connections that wait, and no more after them."""
        for _ in range(BACKLOG if self._accepting else 0):
            if not self._accept():
                break
        self.accept_if_served(is_stopped=True)

    def _accept(self) -> bool:
        """Take a connection; returns whether there was one."""
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return False  # the client has gone again
        except OSError as error:
            log.error("cannot accept a connection: %s", error.strerror)
            time.sleep(0.1)  # no descriptors left, say: the queue holds the client meanwhile
            return False
        with connection:
            for worker in sorted(self.serving(), key=_load):
                if worker.control.send(MessageKind.CONNECTION, hand_over=connection):
                    worker.connections += 1
                    return True
        self._lost += 1
        return True

    def report(self) -> None:
        """Log connections that no worker took, and have a worker count them."""
        if not self._lost:
            return
        for worker in self.serving():
            if worker.control.send(MessageKind.DROPPED, str(self._lost)):
                log.error("closed %d connections that no worker took", self._lost)
                self._lost = 0
                return


def _load(worker: WorkerProcess) -> tuple[bool, int]:
    return worker.is_silent, worker.connections
