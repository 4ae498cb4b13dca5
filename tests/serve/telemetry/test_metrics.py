"""What is seen from outside: metrics across workers, request ids, timings."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import serve
from serve.protocols.number_kernel import library
from tests.conftest import Digits
from tests.servers.live import Server, shared_folders
from tests.servers.processes import are_replaced, eventually, workers
from tests.servers.scrape import labels, scrape
from tests.servers.two_step_client import Client, ask, asleep

Sample = tuple[str, frozenset[tuple[str, str]]]


@pytest.fixture
def fresh(repository: Path) -> Iterator[Server]:
    """A server with two workers that nobody has asked anything."""
    with Server("--models", str(repository), "--workers", "2") as running:
        yield running


MODEL = {"model": "mnist", "version": "1"}


def test_counts_of_all_workers_are_added_up(fresh: Server, digits: Digits) -> None:
    for n in range(1, 11):  # each on a connection of its own: both workers get some
        assert fresh.predict({"images": digits.images[:n].tolist()}).status == 200
    for _ in range(3):
        assert fresh.predict({"image": [1]}).status == 400
    assert fresh.request("GET", "/nowhere").status == 404
    assert fresh.request("GET", "/elsewhere").status == 404
    for _ in range(5):
        seen = scrape(fresh)
        assert seen["requests_total", labels(route="/predict", status="200", **MODEL)] == 10
        assert seen["requests_total", labels(route="/predict", status="400", **MODEL)] == 3
        other = labels(route="other", status="404", model="", version="")
        assert seen["requests_total", other] == 2
        assert seen["rows_total", labels(**MODEL)] == 55
        assert seen["batch_rows_sum", labels(**MODEL)] == 55
        assert seen["batch_rows_bucket", labels(le="8.0", **MODEL)] == 8
        assert seen["batch_rows_count", labels(**MODEL)] == 10
        assert seen["request_duration_seconds_count", labels(route="/predict", **MODEL)] == 13
        assert 0 < seen["request_duration_seconds_sum", labels(route="/predict", **MODEL)] < 13
        assert seen["requests_in_flight", labels()] == 0
        assert seen["worker_restarts_total", labels()] == 0
    (build,) = [dict(of) for name, of in seen if name == "build_info"]
    assert build["version"] == serve.__version__
    assert build["number_kernel"] == library.read(library.FILE).state


def test_counts_outlive_the_worker_that_made_them(fresh: Server, digits: Digits) -> None:
    for _ in range(20):
        assert fresh.predict({"image": digits.images[0].tolist()}).status == 200
    first = workers(fresh)[0]
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: are_replaced(fresh, first))
    before = set(workers(fresh))
    fresh.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: are_replaced(fresh, *before))
    assert fresh.predict({"image": digits.images[0].tolist()}).status == 200
    seen = scrape(fresh)
    assert seen["rows_total", labels(**MODEL)] == 21
    assert seen["worker_restarts_total", labels()] == 1


def test_says_what_was_turned_away_and_why(repository: Path, digits: Digits) -> None:
    document = {"image": digits.images[0].tolist()}
    arguments = ("--models", str(repository), "--workers", "1", "--max-queue", "2")
    with Server(*arguments) as server:
        with Client(server) as one, Client(server) as two, Client(server) as three:
            for client in (one, two, three):
                assert client.get("/v2/health/live").status == 200
            with asleep(server):
                for client in (one, two, three):
                    client.send(document)
            assert sorted(client.receive().status for client in (one, two, three))[2] == 429
        assert ask(server, document, X_Request_Timeout_Ms="0").status == 504
        seen = scrape(server)
    assert seen["rejections_total", labels(reason="queue")] == 1
    assert seen["rejections_total", labels(reason="deadline")] == 1


def test_work_whose_client_has_gone_is_not_begun(repository: Path, digits: Digits) -> None:
    before_it = {"images": digits.images[:30].tolist()}
    with Server("--models", str(repository), "--workers", "1") as server, ExitStack() as opened:
        clients = [opened.enter_context(Client(server)) for _ in range(21)]
        for client in clients:
            assert client.get("/v2/health/live").status == 200
        with asleep(server):
            for client in clients[:20]:
                client.send(before_it)
            clients[20].send({"image": digits.images[0].tolist()})
            clients[20].close()
        assert {client.receive().status for client in clients[:20]} == {200}
        gone = ("rejections_total", labels(reason="client_disconnected"))
        assert eventually(lambda: scrape(server).get(gone) == 1)
        assert scrape(server)["rows_total", labels(**MODEL)] == 600


def test_an_answer_tells_its_request_and_where_its_time_went(
    server: Server, digits: Digits
) -> None:
    answer = server.predict({"images": digits.images[:100].tolist()})
    timing = re.fullmatch(
        r"parse;dur=([\d.]+), queue;dur=([\d.]+), infer;dur=([\d.]+), render;dur=([\d.]+)",
        answer.headers["Server-Timing"],
    )
    assert timing
    assert all(float(milliseconds) > 0 for milliseconds in timing.groups())
    document = {"image": digits.images[0].tolist()}
    ids = {server.predict(document).headers["X-Request-Id"] for _ in range(20)}
    assert len(ids) == 20
    assert ask(server, document, X_Request_Id="mine-7").headers["X-Request-Id"] == "mine-7"
    for improper in ("with space", "x" * 129, ""):
        given = ask(server, document, X_Request_Id=improper).headers["X-Request-Id"]
        assert re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]+", given)
    assert server.request("GET", "/v2/health/live").headers["X-Request-Id"]
    assert server.request("GET", "/nowhere").headers["X-Request-Id"]


def test_nothing_is_left_in_memory_when_the_server_is_gone(repository: Path) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        with Server("--models", str(repository), "--workers", "2") as server:
            pid = server.process.pid
            assert len(shared_folders(pid)) == 1
            server.process.send_signal(how)
            assert eventually(lambda pid=pid: not shared_folders(pid))
