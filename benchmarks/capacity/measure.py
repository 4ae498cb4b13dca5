"""What capacity is told from: searches for the highest rate, and rates of users and workers."""

import statistics
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.capacity import rate_search, service
from benchmarks.capacity.rate_attempt import Probe, probe
from benchmarks.capacity.service import Alone
from benchmarks.errors import BenchmarkError
from benchmarks.load import locust_process, prepared_request
from benchmarks.load.locust_process import Load, Target
from benchmarks.load.prepared_request import MIX, MIXED
from benchmarks.load.stats import Record
from benchmarks.progress import Step
from benchmarks.run.grid_point import windows
from benchmarks.system import affinity, servers
from benchmarks.system.affinity import Placing
from benchmarks.system.monitor import Meter
from benchmarks.system.servers import Server

USERS = (1, 2, 4, 8, 16, 32)
WORKERS = (1, 2, 3, 4)
_CROWD = 16  # users that keep all workers busy
_LEAST = 10.0  # requests a second: a search that comes below it is given up
_ANSWERS = 1000  # of each rate, at least, so that they bound a p99


@dataclass
class Measured:
    """All that was measured."""

    searches: list[list[Probe]] = field(default_factory=list)
    found: list[float] = field(default_factory=list)
    """The highest rate of each search, in requests a second."""
    users: dict[int, float] = field(default_factory=dict)
    """Requests a second of so many closed users."""
    workers: dict[int, float] = field(default_factory=dict)
    """Likewise of so many workers, on all CPUs, which they share with the load generator."""
    sizes: dict[int, Alone] = field(default_factory=dict)

    @property
    def best(self) -> Probe:
        """The highest one that held in the median search."""
        place = self.found.index(statistics.median_low(self.found))
        return next(one for one in self.searches[place] if one.rate == self.found[place])

    @property
    def generator_lacks(self) -> bool:
        """Did a search end below a rate at which the load generator was out of CPU?"""
        for tried, found in zip(self.searches, self.found, strict=True):
            beyond = [one for one in tried if one.rate > found]
            if beyond and min(beyond, key=lambda one: one.rate).generator_lacks:
                return True
        return False


class Bench:
    """Measures one model on this machine."""

    def __init__(
        self, models: Path, name: str, data: Path, load: Load, cpus: Placing, step: Step
    ) -> None:
        self._models, self._name, self._data = models, name, data
        self._load = load
        self._step = step
        self._cpus = cpus

    def measure(self, p99_ms: float, searches: int) -> Measured:
        """Measure everything, in about a minute a search and two more.

        Raises:
            BenchmarkError: not even a small rate holds, or closed users had a failure.

        """
        made = Measured()
        with self._server(len(self._cpus.server), self._cpus.server) as server:
            target = Target(server.base, self._name, self._data)
            for users in USERS:
                self._step(f"{users} users")
                made.users[users] = self._closed(target, users, self._cpus.generator)
            for rows in MIX if self._load.rows == MIXED else [int(self._load.rows)]:
                self._step(f"{rows} rows, one at a time")
                made.sizes[rows] = self._alone(target, server, rows)
            for number in range(searches):
                # Not the same rates again: their steps would hide how far the searches lie apart.
                guess = (0.7 - 0.05 * number % 0.3) * max(made.users.values())
                self._search(made, target, server, guess, p99_ms, number)
        for workers in WORKERS:
            self._step(f"{workers} workers")
            made.workers[workers] = self._with(workers)
        return made

    def _server(self, workers: int, cpus: tuple[int, ...]) -> Server:
        return servers.ours(self._models, "--default-model", self._name, workers=workers, cpus=cpus)

    def _search(
        self,
        made: Measured,
        target: Target,
        server: Server,
        guess: float,
        p99_ms: float,
        number: int,
    ) -> None:
        tried: list[Probe] = []

        def holds(rate: float) -> bool:
            self._step(f"search {number + 1}: {rate:,.0f} requests/s")
            if rate < _LEAST:
                raise BenchmarkError(f"not even {_LEAST:g} requests/s hold a p99 of {p99_ms:g} ms")
            seconds = max(self._load.measure, _ANSWERS / rate)
            load = replace(self._load, rate=rate, measure=seconds)
            tried.append(probe(target, server, load, self._cpus.generator))
            return tried[-1].holds(p99_ms)

        found = rate_search.highest(holds, guess)
        made.searches.append(tried)
        made.found.append(found)

    def _closed(self, target: Target, users: int, cpus: tuple[int, ...]) -> float:
        load = replace(self._load, users_class=self._users_class, users=users)
        record = locust_process.run(target, load, cpus)
        return _rate(record)

    @property
    def _users_class(self) -> str:
        if self._load.rows == MIXED:
            return "Mixed"
        return prepared_request.users_class(self._load.dialect, int(self._load.rows))

    def _alone(self, target: Target, server: Server, rows: int) -> Alone:
        users_class = prepared_request.users_class(self._load.dialect, rows)
        with Meter(server) as meter:
            load = replace(self._load, users_class=users_class, users=1)
            record = locust_process.run(target, load, self._cpus.generator)
        _rate(record)
        (tally,) = record.tallies.values()
        return service.alone(tally, meter.cpu_seconds(*windows(record)))

    def _with(self, workers: int) -> float:
        cpus = affinity.everywhere()
        with self._server(workers, cpus.server) as server:
            return self._closed(Target(server.base, self._name, self._data), _CROWD, cpus.generator)


def _rate(record: Record) -> float:
    """Requests a second within the window.

    Raises:
        BenchmarkError: a request failed, or none was answered.

    """
    if record.errors:
        raise BenchmarkError(f"requests failed: {dict(record.errors)}")
    began, ended = windows(record)
    return record.total(lambda tally: tally.answered) / (ended - began)
