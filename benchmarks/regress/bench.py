"""What every scenario needs: servers, requests, CPUs, and how long to measure."""

from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.fixtures import heavy_model, small_model
from benchmarks.load import golden_rows, prepared_request
from benchmarks.load.protocols import Request
from benchmarks.load.rounds import Target
from benchmarks.progress import Step
from benchmarks.system import affinity, servers
from benchmarks.system.affinity import Affinity
from benchmarks.system.servers import Server

TWO_WORKERS = 2


@dataclass(frozen=True)
class Bench:
    """The servers run on CPUs of their own, unless two workers need all of them."""

    models: Path
    rounds: int
    seconds: float
    """Of each load."""
    minutes: float
    """Of scenarios that run for long."""
    step: Step
    model: str = small_model.NAME
    heavy_models: Path | None = None
    """A repository with a heavy model; None for our own."""
    cpus: Affinity = field(default_factory=affinity.halves)

    def onnxlet(self, *arguments: str) -> Server:
        """Our server, with a worker for each of its CPUs."""
        return self._onnxlet(self.models, self.model, arguments)

    def heavy(self, *arguments: str, workers: int = 0) -> Server:
        """Our server with the heavy model, on all CPUs if the number of workers is given."""
        models = self.heavy_models or heavy_model.models()
        return self._onnxlet(models, heavy_model.NAME, arguments, workers)

    def two_workers(self) -> Server:
        """Our server with two workers, on all CPUs."""
        return self._onnxlet(self.models, self.model, (), TWO_WORKERS)

    def one_worker(self, cpu: int) -> Server:
        """Our server with one worker, on this CPU."""
        arguments = ("--default-model", self.model)
        return servers.onnxlet(self.models, *arguments, workers=1, cpus=(cpu,))

    def _onnxlet(
        self, models: Path, name: str, arguments: tuple[str, ...], workers: int = 0
    ) -> Server:
        return servers.onnxlet(
            models,
            *("--default-model", name, *arguments),
            workers=workers or self.cpus.workers,
            cpus=() if workers else self.cpus.server,
        )

    def request(self, rows: int, protocol: str = "predict") -> Request:
        """One of golden rows."""
        golden = golden_rows.published(self.models, self.model)
        return prepared_request.prepare(protocol, golden.model, golden.rows, rows).request

    def target(self, server: Server, rows: int, protocol: str = "predict") -> Target:
        """A server, with the load on CPUs of its own."""
        return Target(server, self.request(rows, protocol), self.cpus.generator)
