"""Raw bytes for a server: requests that are whole, broken, cut off and out of order."""

import re
import socket
import struct
from collections import Counter
from random import Random

from serve.models.spec import ModelSpec
from serve.protocols import mlflow, oip, predict, tfserving
from tests.reliability import documents
from tests.reliability.documents import Document

PATIENCE = 30.0
_PATHS = {
    predict: "/predict?model={}",
    tfserving: "/v1/models/{}:predict",
    mlflow: "/invocations?model={}",
    oip: "/v2/models/{}/infer",
}
_OTHER_PATHS = ("/", "/metrics", "/v2", "/openapi.json", "/v2/models/stats", "/%2e%2e/x", "*", "")
_FIELDS = (
    *(b"Content-Length: 1", b"Content-Length: -1", b"Content-Length: 99999999999999999999"),
    *(b"Content-Length : 2", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked"),
    *(b"Host: y", b"Expect: 100-continue", b"Connection: close", b"Upgrade: h2c", b" folded"),
    *(b"X: \x00", b"X: " + b"x" * 20_000, b"X:" * 200, b"\r", b"Accept-Encoding: gzip, br;q=2"),
    *(b"Content-Encoding: gzip", b"Content-Encoding: deflate", b"Authorization: Bearer x"),
)
_RESET = struct.pack("ii", 1, 0)  # struct linger: on, for 0 seconds
_ANSWER = re.compile(rb"HTTP/1\.[01] (\d{3}) [^\r\n]*\r\n(.*?\r\n)??\r\n", re.DOTALL)
_LENGTH = re.compile(rb"^Content-Length: (\d+)", re.MULTILINE | re.IGNORECASE)


class Attacker:
    """Requests to the models of a server, each on a connection of its own."""

    def __init__(self, port: int, model_specs: list[ModelSpec], seed: int) -> None:
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []
        """Answers of a fault of the server's, or that are no HTTP."""
        self._address = ("127.0.0.1", port)
        self._signatures = model_specs
        self._random = Random(seed)

    def strike(self) -> None:
        """Send something, and read what comes."""
        random = self._random
        sent = b"".join(self._request() for _ in range(random.choice([1, 1, 1, 2, 3])))
        if random.random() < 0.2:
            sent = sent[: random.randrange(len(sent) + 1)]
        with socket.create_connection(self._address, PATIENCE) as client:
            try:
                received = self._exchange(client, sent)
            except (ConnectionResetError, BrokenPipeError):
                return  # it had unread bytes when it was closed
        try:
            statuses = answers(received)
        except ValueError:
            self.wrong.append(f"{sent[:1000]!r}: no HTTP: {received[:300]!r}")
            return
        self.statuses.update(statuses)
        if any(status in (500, 502, 503, 504) for status in statuses):
            self.wrong.append(f"{sent[:1000]!r}: {received[:300]!r}")

    def _exchange(self, client: socket.socket, sent: bytes) -> bytes:
        random = self._random
        for part in self._parts(sent):
            client.sendall(part)
            if random.random() < 0.02:
                client.send(b"!", socket.MSG_OOB)
        if random.random() < 0.1:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            return b""
        client.shutdown(socket.SHUT_WR)
        received = b""
        while more := client.recv(65536):
            received += more
        return received

    def _parts(self, data: bytes) -> list[bytes]:
        count = self._random.choice([1, 1, 1, 2, 5])
        size = len(data) // count + 1
        return [data[begin : begin + size] for begin in range(0, len(data), size)]

    def _request(self) -> bytes:
        random = self._random
        model_spec = random.choice(self._signatures)
        document = documents.mutated(random, documents.valid(random, model_spec))
        path = _PATHS[document.protocol].format(model_spec.name)
        if random.random() < 0.05:
            path = random.choice(_OTHER_PATHS)
        method = random.choice(["POST"] * 20 + ["GET", "PUT", "post", "OPTIONS", "X" * 40])
        version = random.choice(["HTTP/1.1"] * 20 + ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", ""])
        lines = [f"{method} {path} {version}".encode(), b"Host: x", *_fields(document)]
        body = self._framed(lines, document.body)
        for _ in range(random.choice([0, 0, 0, 1, 2])):
            lines.insert(random.randrange(len(lines) + 1), random.choice(_FIELDS))
        if random.random() < 0.05:
            del lines[random.randrange(len(lines))]
        head = bytearray(b"\r\n".join(lines) + b"\r\n\r\n")
        if random.random() < 0.1:
            head[random.randrange(len(head))] = random.randrange(256)
        return bytes(head) + body

    def _framed(self, lines: list[bytes], body: bytes) -> bytes:
        random = self._random
        if random.random() < 0.7:
            wrong = random.choice([-3, -1, 1, 1000]) if random.random() < 0.1 else 0
            lines.append(b"Content-Length: %d" % max(0, len(body) + wrong))
            return body
        lines.append(b"Transfer-Encoding: chunked")
        chunks = []
        while body:
            size = random.randint(1, 300)
            chunks.append(b"%x\r\n%b\r\n" % (len(body[:size]), body[:size]))
            body = body[size:]
        framed = bytearray(b"".join([*chunks, b"0\r\n\r\n"]))
        if random.random() < 0.2:
            framed[random.randrange(len(framed))] = random.randrange(256)
        return bytes(framed)


def _fields(document: Document) -> list[bytes]:
    names = {name: name.replace("_", "-").title() for name in document.headers}
    return [f"{names[name]}: {value}".encode() for name, value in document.headers.items()]


def answers(received: bytes) -> list[int]:
    """The statuses of all answers in what a connection has sent.

    Raises:
        ValueError: it is not just whole answers.

    """
    statuses = []
    while received:
        found = _ANSWER.match(received)
        if not found:
            raise ValueError(received)
        length = _LENGTH.search(found[2] or b"")
        end = found.end() + (int(length[1]) if length else 0)
        if len(received) < end:
            raise ValueError(received)
        statuses.append(int(found[1]))
        received = received[end:]
    return statuses
