"""What a supervisor and its workers tell each other, over a pair of sockets.

Each message is one packet: its first byte is the kind, the rest a text. The end of the stream
means that the other process is gone.
"""

import array
import enum
import fcntl
import resource
import socket

_LARGEST = 4096
_TOP = 4096  # a higher descriptor makes the kernel's table of them larger


class Kind(bytes, enum.Enum):
    """The kinds of messages."""

    CONNECTION = b"c"  # to a worker, with the connection's file descriptor
    UNREADY = b"u"  # to a worker: say that you are not ready, but go on
    DRAIN = b"d"  # to a worker: finish what there is, then end
    READY = b"r"  # from a worker: tested, connections may come
    CLOSED = b"x"  # from a worker: so many connections less, as text
    FAILED = b"f"  # from a worker: it can't serve; the text says why


Message = tuple[Kind, str, socket.socket | None]
"""What it is, its text, and the connection that came with it."""


class Control:
    """One end of the pair."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end

    @classmethod
    def pair(cls) -> tuple["Control", "Control"]:
        """Make both ends."""
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        one.setblocking(False)
        other.setblocking(False)
        return cls(one), cls(other)

    def fileno(self) -> int:
        """For selectors."""
        return self.socket.fileno()

    def send(self, kind: Kind, text: str = "") -> bool:
        """Tell the other side; False if it is gone or does not listen."""
        try:
            self.socket.send(kind.value + text.encode()[: _LARGEST - 1])
        except OSError:
            return False
        return True

    def send_connection(self, connection: socket.socket) -> bool:
        """Hand over an accepted connection; False if the other side is gone or does not listen."""
        try:
            socket.send_fds(self.socket, [Kind.CONNECTION.value], [connection.fileno()])
        except OSError:
            return False
        return True

    def receive(self) -> Message | None:
        """Next message; None at the end.

        Raises:
            BlockingIOError: none has come yet.

        """
        try:
            data, ancillary, _, _ = self.socket.recvmsg(_LARGEST, socket.CMSG_SPACE(4))
        except ConnectionResetError:
            return None
        if not data:
            return None
        descriptors = array.array("i")
        for _, _, payload in ancillary:
            descriptors.frombytes(payload)
        connection = socket.socket(fileno=descriptors[0]) if descriptors else None
        return Kind(data[:1]), data[1:].decode(errors="replace"), connection

    def on_top(self) -> "Control":
        """This end under a descriptor above those of connections; call it before they come.

        Linux lets go of a killed process's files from the highest down. The supervisor so learns of
        the end before any client does, and gives no client's next connection to the dead.
        """
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        descriptor = fcntl.fcntl(self.socket, fcntl.F_DUPFD_CLOEXEC, min(most, _TOP) - 1)
        self.close()
        duplicate = socket.socket(fileno=descriptor)
        duplicate.setblocking(False)
        return Control(duplicate)

    def close(self) -> None:
        """Close this end."""
        self.socket.close()
