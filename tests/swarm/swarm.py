"""The stack of deploy/swarm/ on two machines."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import ROOT
from tests.swarm.machine import Machine

STACK = ROOT / "deploy/swarm/stack.yaml"
SERVICE = "onnxlet_serve"
REPLICAS = 4
SECONDS = 180


class Swarm:
    """Two machines that have the images, with the stack deployed."""

    def __init__(self, manager: Machine, worker: Machine) -> None:
        self.manager = manager
        self.worker = worker

    def join(self) -> None:
        """Make the two machines one swarm, in which a dead one is noticed after seconds."""
        first, second = self.manager, self.worker
        first.docker("swarm", "init", "--advertise-addr", first.address)
        first.docker("swarm", "update", "--dispatcher-heartbeat", "1s")
        token = first.docker("swarm", "join-token", "--quiet", "worker").strip()
        second.docker("swarm", "join", "--token", token, f"{first.address}:2377")

    def deploy(self, models: Path) -> None:
        """Deploy the stack, and wait until all replicas are ready."""
        settings = os.environ | {"MODELS": str(models), "REPLICAS": str(REPLICAS)}
        command = (*self.manager.client, "stack", "deploy", "--resolve-image", "never")
        subprocess.run(
            [*command, "--compose-file", str(STACK), "onnxlet"], env=settings, check=True
        )
        self.wait(lambda: self.running() == REPLICAS)

    def roll_out(self, image: str) -> str:
        """Give the service another image; returns how the update ended, in Swarm's words."""
        update = ("service", "update", "--detach", "--no-resolve-image", "--image", image)
        self.manager.docker(*update, SERVICE)
        state = "{{.UpdateStatus.State}}"
        ended = ("completed", "rollback_completed", "paused", "rollback_paused")

        def now() -> str:
            return self.manager.docker("service", "inspect", "--format", state, SERVICE).strip()

        self.wait(lambda: now() in ended)
        return now()

    def drain(self) -> None:
        """Take the worker out of use, and wait until its replicas run on the manager."""
        self.manager.docker("node", "update", "--availability", "drain", self._worker_id())
        self.wait(lambda: self.running() == REPLICAS and self.running_on_worker() == 0)

    def activate(self) -> None:
        """Use the worker again, and spread the replicas anew."""
        self.manager.docker("node", "update", "--availability", "active", self._worker_id())
        self.manager.docker("service", "update", "--force", "--no-resolve-image", SERVICE)
        self.wait(lambda: self.running_on_worker() > 0 and self.running() == REPLICAS)

    def running(self) -> int:
        """Replicas that are to run, and do."""
        return len(self._replicas())

    def running_on_worker(self) -> int:
        """Those on the worker."""
        return self._replicas().count(self._worker_id())

    def _replicas(self) -> list[str]:
        """The node of each replica that is to run, and does."""
        tasks = ("service", "ps", "--quiet", "--filter", "desired-state=running", SERVICE)
        ids = self.manager.docker(*tasks).split()
        if not ids:
            return []
        form = "{{.Status.State}} {{.NodeID}}"
        told = self.manager.docker("inspect", "--format", form, *ids).splitlines()
        return [line.split()[1] for line in told if line.startswith("running ")]

    def _worker_id(self) -> str:
        return self.manager.docker("node", "ls", "--quiet", "--filter", "role=worker").strip()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait for something to happen.

        Raises:
            RuntimeError: it did not. The message has what the swarm says of its tasks.

        """
        until = time.monotonic() + SECONDS
        while not condition():
            if time.monotonic() > until:
                raise RuntimeError(self.manager.docker("service", "ps", "--no-trunc", SERVICE))
            time.sleep(0.2)
