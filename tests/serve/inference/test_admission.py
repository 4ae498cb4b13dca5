"""More than the server can do, or wants to: refusals, deadlines, and who is slow."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path

from tests.conftest import Digits
from tests.servers.live import Server
from tests.servers.raw_client import Client as RawClient
from tests.servers.two_step_client import Client, ask, asleep


def test_past_the_queue_a_request_is_told_to_come_again(repository: Path, digits: Digits) -> None:
    arguments = ("--models", str(repository), "--workers", "1", "--max-queue", "3")
    document = {"image": digits.images[0].tolist()}
    with Server(*arguments) as server, ExitStack() as opened:
        clients = [opened.enter_context(Client(server)) for _ in range(8)]
        for client in clients:
            assert client.get("/v2/health/live").status == 200  # its worker has the connection
        with asleep(server):
            for client in clients:
                client.send(document)
        answers = [client.receive() for client in clients]
        assert sorted(answer.status for answer in answers) == [200] * 3 + [429] * 5
        for client, answer in zip(clients, answers, strict=True):
            if answer.status == 429:
                assert answer.headers["Retry-After"] == "1"
                assert answer.json() == {"error": "busy: 3 requests are waiting already"}
            assert answer.headers["Connection"] is None
            client.send(document)
            assert client.receive().json()["prediction"] == 7


def test_a_full_queue_refuses_a_long_body_before_it_comes(repository: Path, digits: Digits) -> None:
    arguments = ("--models", str(repository), "--workers", "1", "--max-queue", "1")
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
    with Server(*arguments) as server, Client(server) as first, RawClient(server) as second:
        assert first.get("/v2/health/live").status == 200
        with asleep(server):
            first.send({"image": digits.images[0].tolist()})
            second.send(head)
        status, told, body = second.answer()
        assert (status, json.loads(body)) == (
            429,
            {"error": "busy: 1 requests are waiting already"},
        )
        assert "Connection: close" in told
        assert first.receive().status == 200


def test_a_half_closed_connection_counts_as_closed_once_it_has_waited(
    slow_repository: Path,
) -> None:
    body = json.dumps({"instances": [[0] * 784]}).encode()
    head = b"POST /v1/models/slow:predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
    arguments = ("--models", str(slow_repository), "--workers", "1", "--max-batch-rows", "1")
    with Server(*arguments) as server, ExitStack() as opened:
        clients = [opened.enter_context(RawClient(server)) for _ in range(4)]
        for client in clients:
            client.send(b"GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.answer()[0] == 200  # its worker has the connection
        with asleep(server):
            for client in clients:
                client.send(head % len(body) + body)
                client.socket.shutdown(socket.SHUT_WR)
        first, *others = sorted(client.answer()[0] for client in clients)
        assert all(client.ends() for client in clients)
    assert first in (200, 499)  # a busy machine may let the first one wait, too
    assert others == [499] * 3


def test_a_request_may_ask_for_less_time(server: Server, digits: Digits) -> None:
    document = {"images": digits.images.tolist()}  # 1,000 take several milliseconds
    answer = ask(server, document, X_Request_Timeout_Ms="1")
    assert answer.status == 504
    assert answer.json() == {"error": "no response within 1 ms, the deadline of this request"}
    assert ask(server, document, X_Request_Timeout_Ms="60000").status == 200


def test_a_request_may_not_ask_for_more_time(repository: Path, digits: Digits) -> None:
    document = {"images": digits.images.tolist()}
    with Server("--models", str(repository), "--timeout", "0.001") as server:
        answer = ask(server, document, X_Request_Timeout_Ms="60000")
        assert answer.json() == {"error": "no response within 1 ms, the deadline of this request"}


def test_a_timeout_that_is_no_number_is_refused(server: Server, digits: Digits) -> None:
    for wrong in ("soon", "-1", "1.5", ""):
        document = {"image": digits.images[0].tolist()}
        answer = ask(server, document, X_Request_Timeout_Ms=wrong)
        assert answer.status == 400
        assert "X-Request-Timeout-Ms: expected a whole number" in answer.json()["error"]
