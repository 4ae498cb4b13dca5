"""Requests that share a run: of one poll, of the time of a run, or of a delay."""

import http.client
import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serve.worker.inference_threads import InferenceThreads
from tests.conftest import Digits
from tests.servers.live import Response, Server
from tests.servers.processes import DEADLINE, eventually
from tests.servers.scrape import scrape
from tests.servers.steady_clients import Clients
from tests.servers.two_step_client import Client, ask, asleep


def slow_server(repository: Path, *more: str) -> Server:
    return Server("--models", str(repository), "--workers", "1", *more)


def runs(server: Server) -> tuple[float, float]:
    """Runs of the model and rows in them, so far."""
    seen = {name: value for (name, _), value in scrape(server).items()}
    return seen.get("batch_rows_count", 0), seen.get("batch_rows_sum", 0)


def in_flight(server: Server) -> float:
    return next(v for (name, _), v in scrape(server).items() if name == "requests_in_flight")


def documents(digits: Digits, count: int) -> list[dict[str, Any]]:
    return [{"image": image.tolist()} for image in digits.images[:count]]


def together(server: Server, sent: list[dict[str, Any]]) -> list[Response]:
    """Answers to requests that reach the worker in one poll."""
    with ExitStack() as opened:
        clients = [opened.enter_context(Client(server)) for _ in sent]
        for client in clients:
            assert client.get("/v2/health/live").status == 200
        with asleep(server):
            for client, document in zip(clients, sent, strict=True):
                client.send(document)
        return [client.receive() for client in clients]


def same(answers: list[Response], alone: list[Response]) -> bool:
    pairs = zip(answers, alone, strict=True)
    return all(
        np.allclose(one.json()["probabilities"], other.json()["probabilities"], atol=1e-6)
        for one, other in pairs
    )


@pytest.mark.parametrize("threads", ["0", "1"])
def test_requests_of_one_poll_share_a_run(repository: Path, digits: Digits, threads: str) -> None:
    sent = documents(digits, 8)
    with Server(
        "--models", str(repository), "--workers", "1", "--inference-threads", threads
    ) as server:
        alone = [server.predict(document) for document in sent]
        assert eventually(lambda: runs(server) == (8, 8))
        assert same(together(server, sent), alone)
        assert eventually(lambda: runs(server) == (9, 16))


def test_with_threads_requests_that_come_during_a_run_share_the_next(
    slow_repository: Path, digits: Digits
) -> None:
    sent = documents(digits, 8)
    with slow_server(slow_repository, "--inference-threads", "1") as server, ExitStack() as opened:
        alone = [server.predict(document) for document in sent]
        clients = [opened.enter_context(Client(server)) for _ in sent]
        for client in clients:
            assert client.get("/v2/health/live").status == 200
        clients[0].send(sent[0])
        assert eventually(lambda: in_flight(server) == 1)
        for client, document in zip(clients[1:], sent[1:], strict=True):
            client.send(document)
        assert same([client.receive() for client in clients], alone)
        assert eventually(lambda: runs(server) == (10, 16))


def test_with_threads_health_is_answered_during_a_run(
    slow_repository: Path, digits: Digits
) -> None:
    with (
        slow_server(slow_repository, "--inference-threads", "1") as server,
        Client(server) as client,
    ):
        client.send(documents(digits, 1)[0])
        assert eventually(lambda: in_flight(server) == 1)
        assert server.request("GET", "/v2/health/ready").status == 200
        assert in_flight(server) == 1  # all this time the run goes on
        assert client.receive().status == 200


@pytest.mark.parametrize("threads", ["0", "1"])
def test_a_run_that_takes_longer_than_the_deadline(
    slow_repository: Path, digits: Digits, threads: str
) -> None:
    (document,) = documents(digits, 1)
    with slow_server(slow_repository, "--inference-threads", threads) as server:
        answer = ask(server, document, X_Request_Timeout_Ms="20")
        assert answer.status == 504
        assert server.predict(document).status == 200


def test_with_threads_work_whose_client_has_gone_is_not_begun(
    slow_repository: Path, digits: Digits
) -> None:
    first, second = documents(digits, 2)
    with slow_server(slow_repository, "--inference-threads", "1") as server:
        with Client(server) as patient, Client(server) as impatient:
            patient.send(first)
            assert eventually(lambda: in_flight(server) == 1)
            impatient.send(second)
            assert eventually(lambda: in_flight(server) == 2)
            impatient.close()
            assert patient.receive().status == 200
        assert eventually(lambda: in_flight(server) == 0)
        assert eventually(lambda: runs(server) == (1, 1))


def test_with_threads_the_end_waits_for_the_run(slow_repository: Path, digits: Digits) -> None:
    (document,) = documents(digits, 1)
    with (
        slow_server(slow_repository, "--inference-threads", "2") as server,
        Client(server) as client,
    ):
        client.send(document)
        assert eventually(lambda: in_flight(server) == 1)
        server.process.send_signal(signal.SIGTERM)
        assert client.receive().status == 200
        assert server.process.wait(30) == 0


def test_with_threads_many_clients_get_their_own_answers(repository: Path, digits: Digits) -> None:
    arguments = ("--models", str(repository), "--workers", "2", "--inference-threads", "3")
    with Server(*arguments) as server, Clients(server, digits, 12) as clients:
        assert eventually(lambda: clients.answered > 3000)
        assert server.end(signal.SIGTERM) == (0, "ended\n", "")
    assert clients.failures == []


def test_a_delay_lets_requests_find_company(repository: Path, digits: Digits) -> None:
    first, second = documents(digits, 2)
    arguments = ("--models", str(repository), "--workers", "1", "--batch-delay-ms", "1000")
    with Server(*arguments) as server, Client(server) as one, Client(server) as other:
        one.send(first)
        assert eventually(lambda: in_flight(server) == 1)
        other.send(second)
        assert one.receive().json()["prediction"] == 7
        assert other.receive().json()["prediction"] == 2
        assert eventually(lambda: runs(server) == (1, 2))


def test_a_full_batch_does_not_wait_for_the_delay(repository: Path, digits: Digits) -> None:
    first, second = documents(digits, 2)
    arguments = ("--batch-delay-ms", "3600000", "--max-batch-rows", "2", "--timeout", "3600")
    full = Server("--models", str(repository), "--workers", "1", *arguments)
    with full as server, Client(server) as one, Client(server) as other:
        one.send(first)
        other.send(second)
        assert one.receive().json()["prediction"] == 7
        assert other.receive().json()["prediction"] == 2


def test_a_client_that_goes_while_waiting_does_no_harm(repository: Path, digits: Digits) -> None:
    arguments = ("--models", str(repository), "--workers", "1", "--batch-delay-ms", "300")
    with Server(*arguments) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("POST", "/predict", b"{}")
        connection.close()
        assert eventually(lambda: in_flight(server) == 0)
        assert server.predict(documents(digits, 1)[0]).json()["prediction"] == 7


def test_a_full_queue_does_not_wait_for_the_delay(repository: Path, digits: Digits) -> None:
    arguments = ("--batch-delay-ms", "3600000", "--max-queue", "2", "--timeout", "3600")
    full = Server("--models", str(repository), "--workers", "1", *arguments)
    with full as server, Client(server) as one, Client(server) as other:
        for client, document in zip((one, other), documents(digits, 2), strict=True):
            client.send(document)
        assert one.receive().json()["prediction"] == 7
        assert other.receive().json()["prediction"] == 2


def test_a_long_request_does_not_wait_for_the_delay(repository: Path, digits: Digits) -> None:
    arguments = ("--batch-delay-ms", "3600000", "--timeout", "3600")
    with Server("--models", str(repository), "--workers", "1", *arguments) as server:
        assert server.predict({"images": digits.images[:200].tolist()}).status == 200


def test_the_delay_leaves_time_to_answer(repository: Path, digits: Digits) -> None:
    (document,) = documents(digits, 1)
    arguments = ("--models", str(repository), "--workers", "1", "--batch-delay-ms", "3600000")
    with Server(*arguments) as server:
        assert ask(server, document, X_Request_Timeout_Ms="2000").json()["prediction"] == 7


def test_free_threads_take_what_others_leave() -> None:
    together = threading.Barrier(4)
    met = []

    def work() -> None:
        together.wait(DEADLINE)  # passes only when three threads are at work at once
        met.append(True)

    InferenceThreads(3, work).wake(5)
    together.wait(DEADLINE)
    assert eventually(lambda: len(met) == 3)
