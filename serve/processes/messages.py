"""The messages between the supervisor, the forkserver, the workers and validation processes.

Each pair of processes is connected by a pair of sockets. A message is one packet: its first byte is
the kind, the rest is text. The end of the stream means that the other process has ended.
"""

import array
import enum
import fcntl
import resource
import socket

_MAX_BYTES = 4096
_MAX_DESCRIPTOR = 4096  # a higher one would enlarge the kernel's table of descriptors


class MessageKind(bytes, enum.Enum):
    """The kinds of messages."""

    # To the forkserver, with one end of a pair of sockets for the new process:
    START_WORKER = b"w"  # a worker slot
    VALIDATE = b"v"  # name and number of a version, and the CPU time in seconds that it may take
    # To a worker:
    CONNECTION = b"c"  # with the connection
    NOT_READY = b"u"  # report not ready, but keep serving
    DRAIN = b"d"  # finish the requests, then end
    PING = b"i"
    DROPPED = b"m"  # number of connections that were closed because no worker could take them
    NEW_PLAN = b"n"  # the shared folder contains a new serving plan
    LOAD_DONE = b"a"  # number of a load request, an HTTP status, and the reason of a failure
    # From a worker or a validation process:
    FORKED = b"p"  # its process id
    READY = b"r"  # a worker serves the plan of this number; a version is valid
    FAILED = b"f"  # why a worker can't serve, or why a version is not valid
    # From a worker:
    PONG = b"g"  # its event loop runs
    CLOSED = b"x"  # number of connections that have ended
    PLAN_FOLLOWED = b"o"  # number of the plan that it serves now
    LOAD_FAILED = b"l"  # name and number of a version that it can't load, and the reason
    LOAD = b"+"  # its number for a load request, and the name of the model
    UNLOAD = b"-"  # the same for an unload request


Message = tuple[MessageKind, str, socket.socket | None]
"""Its kind, its text, and the socket that came with it."""


class ControlChannel:
    """One end of a pair of sockets."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end

    @classmethod
    def pair(cls) -> tuple["ControlChannel", "ControlChannel"]:
        """Create both ends."""
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        one.setblocking(False)
        other.setblocking(False)
        return cls(one), cls(other)

    def fileno(self) -> int:
        """For selectors."""
        return self.socket.fileno()

    def send(
        self, kind: MessageKind, text: str = "", hand_over: socket.socket | None = None
    ) -> bool:
        """Send a message, with a socket; False if the other side is gone or does not read."""
        data = kind.value + text.encode(errors="replace")[: _MAX_BYTES - 1]
        try:
            if hand_over:
                socket.send_fds(self.socket, [data], [hand_over.fileno()])
            else:
                self.socket.send(data)
        except OSError:
            return False
        return True

    def finish(self) -> None:
        """Send nothing more; the other side sees the end after the last message."""
        self.socket.shutdown(socket.SHUT_WR)

    def receive(self) -> Message | None:
        """Receive the next message; None at the end of the stream.

        Raises:
            BlockingIOError: there is no message yet.

        """
        try:
            data, ancillary, _, _ = self.socket.recvmsg(_MAX_BYTES, socket.CMSG_SPACE(4))
        except ConnectionResetError:
            return None
        if not data:
            return None
        descriptors = array.array("i")
        for _, _, payload in ancillary:
            descriptors.frombytes(payload)
        handed_over = socket.socket(fileno=descriptors[0]) if descriptors else None
        return MessageKind(data[:1]), data[1:].decode(errors="replace"), handed_over

    def is_alone(self) -> bool:
        """Has the other process ended, and are all its messages read?"""
        try:
            return not self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def on_top(self) -> "ControlChannel":
        """Move this end to a descriptor above those of all connections, before there are any.

        Linux closes the files of a killed process from the highest descriptor down. The supervisor
        then learns of the death before any client does, and passes no more connections to it.
        """
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = min(most, _MAX_DESCRIPTOR) - 1
        descriptor = fcntl.fcntl(self.socket, fcntl.F_DUPFD_CLOEXEC, lowest)
        self.close()
        duplicate = socket.socket(fileno=descriptor)
        duplicate.setblocking(False)
        return ControlChannel(duplicate)

    def close(self) -> None:
        """Close this end."""
        self.socket.close()
