"""Locust users that send a model's golden inputs and check every answer.

``locust -f benchmarks/locustfile.py --host http://…`` sends the load ``Mixed``. Another class may
follow, such as ``Predict32``, ``OipBinary256`` or ``Open``; docs/benchmarks.md explains them.
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
from benchmarks.load import answer_check, golden_rows, locust_options
from benchmarks.load.prepared_request import (
    MIXED,
    SIZES,
    PreparedRequest,
    RequestPool,
    users_class,
)
from benchmarks.load.protocols import PROTOCOLS
from benchmarks.load.recorder import Recorder

CONNECTIONS = 256  # of an Open user at most; further requests wait, which counts as latency
TIMEOUT = 20.0  # seconds after which a request has failed
DRAIN_SECONDS = 30.0  # that an Open user waits for its last answers
STOP_SECONDS = 35.0  # that users get to stop; by default Locust gives them none
USERS_PER_WORKER = 100_000  # users are numbered, each with an order of its own
FAULT = "onnxlet-fault"  # message of a worker that can't send a load

events.init_command_line_parser.add_listener(locust_options.add)


def send_at_once(pool: ConnectionPool, sock: socket.socket) -> None:
    """Turn off Nagle's algorithm, as other clients do but geventhttpclient does not.

    With delayed acknowledgements on the other side it can delay a request by 40 ms on a network.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


setattr(ConnectionPool, "after_connect", send_at_once)  # noqa: B010 - its hook for this


@events.init.add_listener
def set_up(environment: Environment, **_: Any) -> None:
    """Set up a process for its tests."""
    environment.events.test_start.add_listener(prepare)
    options, runner = environment.parsed_options, environment.runner
    environment.stop_timeout = environment.stop_timeout or STOP_SECONDS
    if options.record and not Path(options.record).absolute().parent.is_dir():
        raise SystemExit(f"--record {options.record}: there is no such folder")
    Recorder(environment)
    if isinstance(runner, MasterRunner):
        runner.register_message(FAULT, report_fault)
    if isinstance(runner, WorkerRunner):
        environment.events.test_stop.add_listener(skip_stop_timeout)
    if not (options.user_classes or options.class_picker or isinstance(runner, WorkerRunner)):
        environment.user_classes = [Mixed]


def prepare(environment: Environment, **_: Any) -> None:
    """Encode the requests, in each process that sends some, and check one answer."""
    runner = environment.runner
    if isinstance(runner, MasterRunner):
        return
    options = environment.parsed_options
    host = (environment.host or "").rstrip("/")
    GoldenUser.pool = None
    try:
        if options.rate <= 0:  # Locust's pages accept any number
            raise BenchmarkError(f"--rate: expected a number above 0, got {options.rate}")
        served = golden_rows.served(host, options.model, Path(options.models))
        worker = runner.worker_index if isinstance(runner, WorkerRunner) else 0
        pool = RequestPool(served.model, served.rows, first_user=worker * USERS_PER_WORKER)
        for protocol in {user.protocol or options.protocol for user in environment.user_classes}:
            answer_check.check(host, pool.requests(protocol, SIZES[0])[0])
    except BenchmarkError as error:
        fault = f"no load is sent: {error}"
        if isinstance(runner, WorkerRunner):
            runner.send_message(FAULT, fault)
        elif environment.web_ui is None:
            raise SystemExit(fault) from None
        logging.getLogger("locust").error(fault)
    else:
        GoldenUser.pool = pool
        inspect.stack()  # Locust calls this when a test ends, and the first call takes 40 ms
        gc.collect()
        gc.freeze()  # otherwise a full collection stops all users for 30 ms now and then


def report_fault(environment: Environment, msg: Message, **_: Any) -> None:
    """Log why a worker can't send; without pages there is nobody to fix it, so end."""
    logging.getLogger("locust").error("worker %s: %s", msg.node_id, msg.data)
    environment.process_exit_code = 1
    if environment.web_ui is None:
        environment.runner.quit()


def skip_stop_timeout(environment: Environment, **_: Any) -> None:
    """Keep a worker whose users have stopped from sleeping for ``--stop-timeout`` as well.

    Locust does so before it listens to its master again; the next start sends the option again.
    """
    environment.stop_timeout = 0


class GoldenUser(FastHttpUser):
    """Sends prepared requests, and checks the answers."""

    abstract = True
    wait_time = constant(0)
    network_timeout = connection_timeout = TIMEOUT
    pool: RequestPool | None = None
    """None if a test can't begin; its users then do nothing."""
    protocol = ""
    """Empty means that of ``--protocol``."""
    rows: int | None = None
    """None means the mix."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        options = environment.parsed_options
        protocol, rows = self.protocol or options.protocol, self._size(options)
        self._requests = self.pool.endless(protocol, rows) if self.pool else iter(())

    def _size(self, options: Namespace) -> int | None:
        return self.rows

    def send(self, prepared: PreparedRequest, scheduled: float | None = None) -> None:
        """Send one; its time counts from ``scheduled``, of ``time.perf_counter``, if given."""
        context: dict[str, Any] = {"rows": prepared.rows}
        if scheduled is not None:
            context["scheduled"] = scheduled
        request = prepared.request
        with self.client.post(
            request.path,
            data=request.body,
            headers=request.headers,
            name=prepared.name,
            context=context,
            catch_response=True,
        ) as answer:
            if scheduled is not None:
                answer.request_meta["response_time"] = (time.perf_counter() - scheduled) * 1000
            if answer.status_code == 200:
                if fault := prepared.fault(answer.content):
                    answer.failure(fault)
            elif 0 < answer.status_code < 400:  # which Locust takes for success
                answer.failure(f"status {answer.status_code}")


class Closed(GoldenUser):
    """Sends the next request when the last one is answered."""

    abstract = True

    @task
    def request(self) -> None:
        """Send one."""
        prepared = next(self._requests, None)
        if prepared is None:
            gevent.sleep(1)  # until a test can begin
        else:
            self.send(prepared)


class Mixed(Closed):
    """Sizes by ``MIX``, in ``--protocol``."""


# Predict1, Predict8, …, OipBinary256: each protocol in each size.
for _protocol, _rows in itertools.product(PROTOCOLS, SIZES):
    _name = users_class(_protocol, _rows)
    globals()[_name] = type(_name, (Closed,), {"protocol": _protocol, "rows": _rows})


class Open(GoldenUser):
    """Sends at the random times of a Poisson process, whether or not answers have come.

    This is the Server scenario of MLPerf Inference. A time counts from when a request was due, so
    a server that stalls is charged for all requests that would have come meanwhile.
    """

    concurrency = CONNECTIONS

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._rate = environment.parsed_options.rate
        self._random = np.random.default_rng()
        self._due = time.perf_counter()
        self._sent = Group()

    def _size(self, options: Namespace) -> int | None:
        return None if options.rows == MIXED else int(options.rows)

    @task
    def arrive(self) -> None:
        """Wait until the next request is due, and send it without waiting for its answer."""
        self._due += self._random.exponential(1 / self._rate)
        if (early := self._due - time.perf_counter()) > 0:
            gevent.sleep(early)
        prepared = next(self._requests, None)
        if prepared is not None:
            self._sent.spawn(self.send, prepared, self._due)

    def on_stop(self) -> None:
        """Wait for the last answers; requests that get none have failed."""
        self._sent.join(timeout=DRAIN_SECONDS)
        self._sent.kill(TimeoutError(f"no answer {DRAIN_SECONDS} s after the end"))


class NoOp(GoldenUser):
    """Asks for the server's health only: what this load generator costs by itself."""

    rows = 1  # that are never sent

    @task
    def request(self) -> None:
        """Ask once."""
        self.client.get("/v2/health/live", name="no-op", context={"rows": 0})
