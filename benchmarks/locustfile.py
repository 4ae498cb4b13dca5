"""Locust's users: real digits in each dialect and batch size, every answer checked.

``locust -f benchmarks/locustfile.py --host http://…`` is the whole of it; a class behind it, such
as ``Predict32``, ``OipBytes256`` or ``Open``, names another load than ``Mixed``.
docs/benchmarks.md explains them.
"""

import gc
import itertools
import socket
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import gevent
import numpy as np
from gevent.pool import Group
from geventhttpclient.connectionpool import ConnectionPool
from locust import FastHttpUser, constant, events, task
from locust.env import Environment
from locust.exception import StopTest
from locust.runners import MasterRunner

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # Locust is run from anywhere

from benchmarks.errors import BenchmarkError
from benchmarks.load import digits, options
from benchmarks.load.dialect import DIALECTS
from benchmarks.load.letter import MIXED, SIZES, Letter, Stock, users_class
from benchmarks.load.recorder import Recorder
from train.errors import TrainError

CONNECTIONS = 256  # that an Open user has at most; requests beyond wait, which counts as latency
LAST_ANSWERS_SECONDS = 30

events.init_command_line_parser.add_listener(options.add)


def send_at_once(pool: ConnectionPool, sock: socket.socket) -> None:
    """Do not hold back the end of a body until the server has acknowledged its beginning.

    geventhttpclient leaves Nagle's algorithm on, which together with delayed acknowledgements
    makes some requests take 40 ms that no other client's would.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


setattr(ConnectionPool, "after_connect", send_at_once)  # noqa: B010 - its hook for this


@events.init.add_listener
def begin(environment: Environment, **_: Any) -> None:
    """Get ready for tests: letters first, then the clock."""
    environment.events.test_start.add_listener(prepare)
    Recorder(environment)
    chosen = environment.parsed_options
    if not (chosen.user_classes or chosen.class_picker):
        environment.user_classes = [Mixed]


def prepare(environment: Environment, **_: Any) -> None:
    """Encode what is sent, in each process that sends."""
    if isinstance(environment.runner, MasterRunner):
        return
    chosen = environment.parsed_options
    host = (environment.host or "").rstrip("/")
    Asking.stock = None
    try:
        model, _metadata = digits.served(host, chosen.model)
        known = digits.known(host, model, digits.read(Path(chosen.data)))
    except (BenchmarkError, TrainError) as error:
        Asking.fault = f"no load is sent: {error}"
        if environment.web_ui is None:
            raise SystemExit(Asking.fault) from None
    else:
        Asking.stock = Stock(known, model)
        gc.collect()
        gc.freeze()  # else a full collection halts all users for 40 ms now and then


class Asking(FastHttpUser):
    """Sends letters, and checks what comes."""

    abstract = True
    wait_time = constant(0)
    stock: Stock | None = None
    fault = ""
    dialect = ""
    """Empty for the one of ``--dialect``."""
    rows: int | None = None
    """None for the mix."""

    def __init__(self, environment: Environment) -> None:
        if self.stock is None:
            raise StopTest(self.fault)
        super().__init__(environment)
        chosen = environment.parsed_options
        self._letters = self.stock.endless(self.dialect or chosen.dialect, self._size(chosen))

    def _size(self, chosen: Namespace) -> int | None:
        return self.rows

    def send(self, letter: Letter, scheduled: float | None = None) -> None:
        """Send one; its time is counted from ``scheduled``, of ``time.perf_counter``, if given."""
        context: dict[str, Any] = {"rows": letter.rows}
        if scheduled is not None:
            context["scheduled"] = scheduled
        wanted = letter.request
        with self.client.post(
            wanted.path,
            data=wanted.body,
            headers=wanted.headers,
            name=letter.name,
            context=context,
            catch_response=True,
        ) as answer:
            if scheduled is not None:
                answer.request_meta["response_time"] = (time.perf_counter() - scheduled) * 1000
            if answer.status_code == 200 and (fault := letter.fault(answer.content)):
                answer.failure(fault)


class Closed(Asking):
    """Sends the next letter when the last one is answered."""

    abstract = True

    @task
    def ask(self) -> None:
        """Send one."""
        self.send(next(self._letters))


class Mixed(Closed):
    """Sizes by ``MIX``, in ``--dialect``."""


# Predict1, Predict8, … OipBytes256: each dialect in each size.
for _dialect, _rows in itertools.product(DIALECTS, SIZES):
    _name = users_class(_dialect, _rows)
    globals()[_name] = type(_name, (Closed,), {"dialect": _dialect, "rows": _rows})


class Open(Asking):
    """Sends at random times of a Poisson process, whether or not answers have come.

    As MLPerf Inference's Server scenario; a time is counted from when a request was due, so that a
    server which stalls is charged for all that would have come meanwhile.
    """

    concurrency = CONNECTIONS

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._rate = environment.parsed_options.rate
        self._random = np.random.default_rng()
        self._due = time.perf_counter()
        self._sent = Group()

    def _size(self, chosen: Namespace) -> int | None:
        return None if chosen.rows == MIXED else int(chosen.rows)

    @task
    def arrive(self) -> None:
        """Wait until the next request is due, and send it without waiting for its answer."""
        self._due += self._random.exponential(1 / self._rate)
        if (early := self._due - time.perf_counter()) > 0:
            gevent.sleep(early)
        self._sent.spawn(self.send, next(self._letters), self._due)

    def on_stop(self) -> None:
        """Wait for the answers that are still to come."""
        self._sent.join(timeout=LAST_ANSWERS_SECONDS)


class NoOp(Asking):
    """Asks for the server's health and nothing else: what this load generator costs by itself."""

    @task
    def ask(self) -> None:
        """Ask once."""
        self.client.get("/v2/health/live", name="no-op", context={"rows": 0})
