"""Locust's users: real digits in each dialect and batch size, every answer checked.

``locust -f benchmarks/locustfile.py --host http://…`` is the whole of it; a class behind it, such
as ``Predict32``, ``OipBytes256`` or ``Open``, names another load than ``Mixed``.
docs/benchmarks.md explains them.
"""

import gc
import inspect
import itertools
import logging
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
from locust.rpc import Message
from locust.runners import MasterRunner, WorkerRunner

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # Locust is run from anywhere

from benchmarks.errors import BenchmarkError
from benchmarks.load import golden_rows, locust_options
from benchmarks.load.prepared_request import MIXED, SIZES, Letter, Stock, users_class
from benchmarks.load.protocols import DIALECTS
from benchmarks.load.recorder import Recorder
from cli.errors import CommandError

CONNECTIONS = 256  # that an Open user has at most; requests beyond wait, which counts as latency
ANSWER_SECONDS = 20.0  # after which a request has failed
LAST_ANSWERS_SECONDS = 30.0
STOP_SECONDS = 35.0  # that users have for their last answers; Locust's own default is none
USERS = 100_000  # that a worker may have; they are numbered
FAULT = "onnxlet-fault"  # a worker's message to its master

events.init_command_line_parser.add_listener(locust_options.add)


def send_at_once(pool: ConnectionPool, sock: socket.socket) -> None:
    """Do not hold back the end of a body until the server has acknowledged its beginning.

    geventhttpclient leaves Nagle's algorithm on, which other clients turn off: with delayed
    acknowledgements on the other side a request can wait 40 ms on a network.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


setattr(ConnectionPool, "after_connect", send_at_once)  # noqa: B010 - its hook for this


@events.init.add_listener
def begin(environment: Environment, **_: Any) -> None:
    """Get ready for tests: letters first, then the clock."""
    environment.events.test_start.add_listener(prepare)
    chosen, runner = environment.parsed_options, environment.runner
    environment.stop_timeout = environment.stop_timeout or STOP_SECONDS
    if chosen.record and not Path(chosen.record).absolute().parent.is_dir():
        raise SystemExit(f"--record {chosen.record}: there is no such folder")
    Recorder(environment)
    if isinstance(runner, MasterRunner):
        runner.register_message(FAULT, heard)
    if isinstance(runner, WorkerRunner):
        environment.events.test_stop.add_listener(be_ready)
    if not (chosen.user_classes or chosen.class_picker or isinstance(runner, WorkerRunner)):
        environment.user_classes = [Mixed]


def prepare(environment: Environment, **_: Any) -> None:
    """Encode what is sent, in each process that sends."""
    runner = environment.runner
    if isinstance(runner, MasterRunner):
        return
    chosen = environment.parsed_options
    host = (environment.host or "").rstrip("/")
    Asking.stock = None
    try:
        if chosen.rate <= 0:  # Locust's pages take any number
            raise BenchmarkError(f"--rate: expected a number above 0, got {chosen.rate}")
        model, _metadata = golden_rows.served(host, chosen.model)
        known = golden_rows.known(host, model, golden_rows.read(Path(chosen.data)))
    except CommandError as error:
        fault = f"no load is sent: {error}"
        if isinstance(runner, WorkerRunner):
            runner.send_message(FAULT, fault)
        elif environment.web_ui is None:
            raise SystemExit(fault) from None
        logging.getLogger("locust").error(fault)
    else:
        worker = runner.worker_index if isinstance(runner, WorkerRunner) else 0
        Asking.stock = Stock(known, model, first=worker * USERS)
        inspect.stack()  # Locust does so when a test ends, and the first time takes 40 ms
        gc.collect()
        gc.freeze()  # else a full collection halts all users for 30 ms now and then


def heard(environment: Environment, msg: Message, **_: Any) -> None:
    """Tell what keeps a worker from sending; without pages there is nobody to mend it."""
    logging.getLogger("locust").error("worker %s: %s", msg.node_id, msg.data)
    environment.process_exit_code = 1
    if environment.web_ui is None:
        environment.runner.quit()


def be_ready(environment: Environment, **_: Any) -> None:
    """Once a worker's users have ended, do not have it sleep for ``--stop-timeout`` as well.

    Locust does so before it hears its master again; the next start brings the option anew.
    """
    environment.stop_timeout = 0


class Asking(FastHttpUser):
    """Sends letters, and checks what comes."""

    abstract = True
    wait_time = constant(0)
    network_timeout = connection_timeout = ANSWER_SECONDS
    stock: Stock | None = None
    """None where a test can't begin; its users then do nothing."""
    dialect = ""
    """Empty for the one of ``--dialect``."""
    rows: int | None = None
    """None for the mix."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        chosen = environment.parsed_options
        dialect, rows = self.dialect or chosen.dialect, self._size(chosen)
        self._letters = self.stock.endless(dialect, rows) if self.stock else iter(())

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
            if answer.status_code == 200:
                if fault := letter.fault(answer.content):
                    answer.failure(fault)
            elif 0 < answer.status_code < 400:  # Locust takes these for right
                answer.failure(f"status {answer.status_code}")


class Closed(Asking):
    """Sends the next letter when the last one is answered."""

    abstract = True

    @task
    def ask(self) -> None:
        """Send one."""
        letter = next(self._letters, None)
        if letter is None:
            gevent.sleep(1)  # until a test can begin
        else:
            self.send(letter)


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
        letter = next(self._letters, None)
        if letter is not None:
            self._sent.spawn(self.send, letter, self._due)

    def on_stop(self) -> None:
        """Wait for the answers that are still to come; those that don't come have failed."""
        self._sent.join(timeout=LAST_ANSWERS_SECONDS)
        self._sent.kill(TimeoutError(f"no answer {LAST_ANSWERS_SECONDS} s after the end"))


class NoOp(Asking):
    """Asks for the server's health and nothing else: what this load generator costs by itself."""

    rows = 1  # that are never sent

    @task
    def ask(self) -> None:
        """Ask once."""
        self.client.get("/v2/health/live", name="no-op", context={"rows": 0})
