"""What happens to the swarm while it is asked, and what became of the requests."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.models.plus import Plus
from tests.reliability.load import Load
from tests.swarm.swarm import REPLICAS, Swarm

PORT = 8080
CALM = 3.0  # seconds of load before and after each event


@dataclass(frozen=True)
class Outcome:
    """An event, and the requests meanwhile."""

    event: str
    sent: int
    failed: list[str]
    wrong: list[str]
    seconds: float
    """Until it was over."""
    must_lose_nothing: bool

    @property
    def bad(self) -> bool:
        """Did more requests fail than may?"""
        return bool(self.wrong or (self.failed and self.must_lose_nothing))


def all_of_them(swarm: Swarm, models: Plus) -> Iterator[Outcome]:
    """Make each event happen, one after the other; the last one ends the worker."""

    def ask() -> Load:
        """A new connection for each request, through the manager's balancer, 50 a second or so."""
        return Load(
            PORT,
            pause=0.08,
            keep_open=False,
            path="/predict?model=plus",
            host=swarm.manager.address,
        )

    def observe(event: str, happen: Callable[[Load], None], may_lose: bool = False) -> Outcome:
        with ask() as load:
            time.sleep(CALM)
            began = time.monotonic()
            happen(load)
            seconds = time.monotonic() - began
            time.sleep(CALM)
        failed = [what for _, what in load.failed]
        return Outcome(event, load.sent, failed, load.wrong, seconds, not may_lose)

    def publish(load: Load) -> None:
        models.publish(2)
        swarm.wait(lambda: load.versions[2] > 0)
        served = load.versions[2]
        swarm.wait(lambda: load.versions[2] > served + 10 * REPLICAS)

    def roll_out(image: str, ends: str) -> Callable[[Load], None]:
        def happen(_: Load) -> None:
            state = swarm.roll_out(image)
            if state != ends:
                raise RuntimeError(f"expected the update to be {ends}, got {state}")

        return happen

    def lose(_: Load) -> None:
        swarm.worker.kill()
        swarm.wait(lambda: swarm.running() == REPLICAS and swarm.running_on_worker() == 0)

    yield observe("new model", publish)
    yield observe("new image", roll_out("onnxlet-serve:new", "completed"))
    yield observe("broken image", roll_out("onnxlet-serve:broken", "rollback_completed"))
    yield observe("machine drained", lambda _: swarm.drain())
    yield observe("machine back", lambda _: swarm.activate())
    yield observe("machine killed", lose, may_lose=True)
