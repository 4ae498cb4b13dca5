"""``python -m tests.swarm [IMAGES.tar]``: deploy, change the swarm, and count failed requests.

It builds the images if it is not given an archive of them. The exit status is 1 if a request fails
that must not.
"""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.conftest import ROOT
from tests.images import docker
from tests.images.engine import Engine
from tests.models.plus import Plus
from tests.swarm import events, machine
from tests.swarm.machine import Machine
from tests.swarm.swarm import Swarm

IMAGES = ("onnxlet-serve", "onnxlet-proxy")
# A server that starts, and is never ready.
BROKEN = 'ENTRYPOINT ["/usr/bin/python3", "-c", "import time; time.sleep(3600)"]'


def main() -> int:
    """Run the command line; returns the exit status."""
    if os.geteuid() != 0:
        print("tests.swarm: expected to be run as root", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    docker.require()
    with tempfile.TemporaryDirectory(prefix="onnxlet-swarm-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # containers read the models below it
        archive = Path(sys.argv[1]) if sys.argv[1:] else build(folder)
        machine.run(sys.executable, "-m", "tests.models.swapped", folder / "swapped-models")
        models = Plus(folder / "swapped-models", folder / "models")
        models.publish(1)
        with ExitStack() as stack:
            machine.add_bridge()
            stack.callback(machine.remove_bridge)
            swarm = start(stack, folder, archive)
            swarm.deploy(models.folder)
            return report(swarm, models)


def build(folder: Path) -> Path:
    """Build the images with an engine that is used for nothing else; returns an archive of them."""
    engine = Engine(folder / "build")
    (folder / "build").mkdir()
    engine.start()
    try:
        engine.build(IMAGES[0], "--file", ROOT / "Dockerfile.serve", ROOT)
        engine.build(IMAGES[1], ROOT / "deploy/proxy")
        engine.docker("save", "--output", folder / "images.tar", *IMAGES)
    finally:
        engine.stop()
    return folder / "images.tar"


def start(stack: ExitStack, folder: Path, archive: Path) -> Swarm:
    """Start two machines with the images, and an image each to roll out and to roll back."""
    machines = []
    for number in (1, 2):
        made = Machine(number, str(docker.client()), folder / f"machine{number}")
        machines.append(stack.enter_context(made))
        made.docker("load", "--input", archive)
        container = made.docker("create", IMAGES[0]).strip()
        for tag, change in (("new", "LABEL release=new"), ("broken", BROKEN)):
            made.docker("commit", "--change", change, container, f"{IMAGES[0]}:{tag}")
        made.docker("rm", container)
    swarm = Swarm(*machines)
    swarm.join()
    return swarm


def report(swarm: Swarm, models: Plus) -> int:
    """Print a line for each event; returns the exit status."""
    bad = False
    print(f"{'event':<18}{'sent':>7}{'failed':>8}{'wrong':>7}{'seconds':>9}", flush=True)
    for outcome in events.all_of_them(swarm, models):
        counts = f"{outcome.sent:>7}{len(outcome.failed):>8}{len(outcome.wrong):>7}"
        print(f"{outcome.event:<18}{counts}{outcome.seconds:>9.1f}", flush=True)
        for what in (*outcome.failed[:3], *outcome.wrong[:3]):
            print(f"    {what}", flush=True)
        bad |= outcome.bad
    return int(bad)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, subprocess.CalledProcessError) as error:
        print(f"tests.swarm: {error}", file=sys.stderr)
        sys.exit(1)
