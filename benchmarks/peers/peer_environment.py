"""The environments of peers, installed on demand below ``build/``, and servers that run in them."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from benchmarks import ROOT
from benchmarks.errors import BenchmarkError
from benchmarks.fixtures import small_model
from benchmarks.peers.peer_list import PEERS
from benchmarks.system.affinity import Affinity
from benchmarks.system.servers import Server
from bundle import layout


def folder(name: str) -> Path:
    """Where a peer is installed, or will be."""
    return ROOT / (PEERS[name].folder or f"build/peers/{name}")


def install(name: str, console: Console) -> None:
    """Install a peer, unless it is.

    Raises:
        BenchmarkError: it can't be; with the last line of the attempt.

    """
    place, title = folder(name).relative_to(ROOT), PEERS[name].title
    with console.status(f"installing {title} into {place}"):
        command = ["make", f"{place}/.installed"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
        reason = lines[-1] if lines else f"status {done.returncode}"
        raise BenchmarkError(f"{title} can't be installed: {reason}")


def version(name: str) -> str:
    """Of the installed peer."""
    code = f"import importlib.metadata as m; print(m.version({PEERS[name].package!r}))"
    command = [str(folder(name) / "bin/python"), "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def megabytes(place: Path) -> float:
    """What an environment takes on disk."""
    files = (path for path in place.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e6


def server(name: str, models: Path, model: str, cpus: Affinity) -> Server:
    """A peer with the newest version of a model, and a worker for each of the server's CPUs."""
    peer, place = PEERS[name], folder(name)
    newest = models.resolve() / model / str(max(layout.versions(models, model)))
    words = {
        "{python}": place / "bin/python",
        "{model}": newest.parent,
        "{name}": model,
        "{version}": newest.name,
        "{workers}": cpus.workers,
    }
    environment = {
        "PATH": f"{place}/bin:{os.environ['PATH']}",  # some start other programs of theirs
        "PYTHONPATH": str(ROOT),
        "PEER_MODEL": str(newest / layout.MODEL_FILE),
        "PEER_WORKERS": str(cpus.workers),
        **{name: _filled(text, words) for name, text in peer.environment.items()},
    }
    if peer.needs_keras:
        environment["PEER_KERAS_MODEL"] = str(small_model.keras_file(models))
    command = [_filled(part, words) for part in peer.command.split()]
    return Server(
        peer.title,
        command,
        ready=_filled(peer.ready, words),
        cpus=cpus.server,
        environment=environment,
    )


def _filled(text: str, words: Mapping[str, object]) -> str:
    for word, meaning in words.items():
        text = text.replace(word, str(meaning))
    return text
