"""What the event loop waits for: events of file descriptors, or a call from another thread."""

import os
import select
from collections.abc import Callable

READ, WRITE = select.EPOLLIN, select.EPOLLOUT
_MAX_EVENTS = 256  # of one poll; the next one returns the others

Handler = Callable[[int], None]
"""It is called with the events of its descriptor."""


class Poller:
    """An epoll instance, and the handler of each descriptor."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}
        self._awake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.watch(self._awake, READ, self._note)

    def watch(self, descriptor: int, events: int, handler: Handler) -> None:
        """Call ``handler`` whenever there are such events; without events, stop to watch."""
        if not events:
            del self._handlers[descriptor]
            self._epoll.unregister(descriptor)
        elif descriptor in self._handlers:
            self._epoll.modify(descriptor, events)
        else:
            self._handlers[descriptor] = handler
            self._epoll.register(descriptor, events)

    def poll(self, seconds: float) -> list[tuple[int, int]]:
        """Wait for events, at most for so long; returns pairs of descriptor and events."""
        return self._epoll.poll(seconds, _MAX_EVENTS)

    def handle(self, events: list[tuple[int, int]]) -> None:
        """Call the handlers of events, unless an earlier handler has stopped to watch."""
        handlers = self._handlers
        for descriptor, event in events:
            handler = handlers.get(descriptor)
            if handler is not None:
                handler(event)

    def _note(self, _: int) -> None:
        os.eventfd_read(self._awake)

    def wake(self) -> None:
        """End the wait of ``poll``; any thread may call it."""
        os.eventfd_write(self._awake, 1)
