"""What a supervisor, its forkserver and its workers tell each other, over pairs of sockets.

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


class MessageKind(bytes, enum.Enum):
    """The kinds of messages."""

    START_WORKER = b"w"  # to a forkserver, with the worker's end of a pair: a place, as text
    VALIDATE = b"t"  # the same for a trial: name and number of a version, as text
    FORKED = b"p"  # from a worker or a trial: its process id, as text
    CONNECTION = b"c"  # to a worker, with the connection
    NOT_READY = b"u"  # to a worker: say that you are not ready, but go on
    DRAIN = b"d"  # to a worker: finish what there is, then end
    READY = b"r"  # from a worker: connections may come; from a trial: it can be served
    PING = b"i"  # to a worker: give a sign of life
    PONG = b"g"  # from a worker: its loop turns
    DROPPED = (
        b"m"  # to a worker: so many connections were closed because no worker took them, as text
    )
    CLOSED = b"x"  # from a worker: so many connections less, as text
    FAILED = b"f"  # from a worker or a trial: it can't serve, or be served; the text says why
    NEW_PLAN = b"n"  # to a worker: there is a new plan in the folder
    PLAN_FOLLOWED = b"o"  # from a worker: it serves the plan of this number
    VERSION_MISSING = (
        b"l"  # from a worker: name and number of a version that it goes on without, and why
    )
    PLAN_NOT_FOLLOWED = b"s"  # the same, of a version without which it does not follow a new plan
    LOAD = b"+"  # from a worker: its number for the request, and the model to load
    UNLOAD = b"-"  # the same, and the model to unload
    LOAD_DONE = b"a"  # to a worker: its number for the request, a status, and why it was not done


Message = tuple[MessageKind, str, socket.socket | None]
"""What it is, its text, and the socket that came with it."""


class ControlChannel:
    """One end of the pair."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end

    @classmethod
    def pair(cls) -> tuple["ControlChannel", "ControlChannel"]:
        """Make both ends."""
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
        """Tell the other side, and give it a socket; False if it is gone or does not listen."""
        data = kind.value + text.encode(errors="replace")[: _LARGEST - 1]
        try:
            if hand_over:
                socket.send_fds(self.socket, [data], [hand_over.fileno()])
            else:
                self.socket.send(data)
        except OSError:
            return False
        return True

    def finish(self) -> None:
        """Send nothing more, which the other side sees once it has read the rest."""
        self.socket.shutdown(socket.SHUT_WR)

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
        handed_over = socket.socket(fileno=descriptors[0]) if descriptors else None
        return MessageKind(data[:1]), data[1:].decode(errors="replace"), handed_over

    def is_alone(self) -> bool:
        """Has the other side gone, and left nothing to read?"""
        try:
            return not self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def on_top(self) -> "ControlChannel":
        """This end under a descriptor above those of connections; call it before they come.

        Linux lets go of a killed process's files from the highest down. The supervisor so learns of
        the end before any client does, and gives no client's next connection to the dead.
        """
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        descriptor = fcntl.fcntl(self.socket, fcntl.F_DUPFD_CLOEXEC, min(most, _TOP) - 1)
        self.close()
        duplicate = socket.socket(fileno=descriptor)
        duplicate.setblocking(False)
        return ControlChannel(duplicate)

    def close(self) -> None:
        """Close this end."""
        self.socket.close()
