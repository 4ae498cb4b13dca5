"""The scenarios, by the name that ``--scenario`` knows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from benchmarks.regress import ratios, under_load
from benchmarks.regress.bench import Bench
from benchmarks.regress.metrics import Result
from benchmarks.regress.overload import overload
from benchmarks.regress.replicas import replicas
from benchmarks.regress.soak import soak


@dataclass(frozen=True)
class Scenario:
    """Something that is measured."""

    measure: Callable[[Bench], Iterable[Result]]
    what: str
    compared: bool = False
    """Whether its ratios are compared with the reference, and it is measured by default."""


SCENARIOS: Mapping[str, Scenario] = {
    "fastapi": Scenario(
        ratios.fastapi, "ratios to FastAPI, and to the work in process", compared=True
    ),
    "protocols": Scenario(
        ratios.protocols, "ratios of the other protocols to /predict", compared=True
    ),
    "batching": Scenario(ratios.batching, "ratios of batching, a delay and a thread to none"),
    "connections": Scenario(
        under_load.connections, "more connections, the share of two workers, and memory"
    ),
    "health": Scenario(under_load.health, "health checks under load"),
    "overrun": Scenario(under_load.overrun, "health checks under more load than the queues hold"),
    "start": Scenario(under_load.start, "how long a start takes"),
    "replicas": Scenario(replicas, "a second replica on the same machine"),
    "soak": Scenario(soak, "memory under mixed load for --minutes"),
    "overload": Scenario(overload, "ten times the load that is possible, for --minutes"),
}
COMPARED = tuple(name for name, scenario in SCENARIOS.items() if scenario.compared)


def measure(bench: Bench, names: Iterable[str]) -> list[Result]:
    """Measure scenarios, one after the other."""
    return [result for name in names for result in SCENARIOS[name].measure(bench)]
