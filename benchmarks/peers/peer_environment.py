"""Peers' environments, made on demand below ``build/``, and the servers that run in them."""

import os
import subprocess
from pathlib import Path

from rich.console import Console

from benchmarks import ROOT
from benchmarks.errors import BenchmarkError
from benchmarks.fixtures import small_model
from benchmarks.peers.peer_list import Peer
from benchmarks.system.servers import Server


def folder(name: str, peer: Peer) -> Path:
    """Where a peer is installed, or will be."""
    return ROOT / (peer.folder or f"build/peers/{name}")


def install(name: str, peer: Peer, console: Console) -> None:
    """Install a peer, where it is not.

    Raises:
        BenchmarkError: it can't be; with the last words of what was tried.

    """
    place = folder(name, peer)
    with console.status(f"installing {peer.title} into {place.relative_to(ROOT)}"):
        wanted = f"{place.relative_to(ROOT)}/.installed"
        done = subprocess.run(
            ["make", wanted], cwd=ROOT, capture_output=True, text=True, check=False
        )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
        said = lines or [f"status {done.returncode}"]
        raise BenchmarkError(f"{peer.title} can't be installed: {said[-1]}")


def version(name: str, peer: Peer) -> str:
    """Of what is installed."""
    code = f"import importlib.metadata as m; print(m.version({peer.package!r}))"
    command = [str(folder(name, peer) / "bin/python"), "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def megabytes(place: Path) -> float:
    """What an environment takes on disk."""
    files = (path for path in place.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e6


def server(name: str, peer: Peer, models: Path) -> Server:
    """A peer with the newest version of the model in ``models``."""
    place, model = folder(name, peer), models / "mnist"
    newest = max(int(path.name) for path in model.iterdir() if path.name.isdecimal())
    words = {"{python}": place / "bin/python", "{model}": model, "{version}": newest}
    command = peer.command.split()
    for word, meant in words.items():
        command = [part.replace(word, str(meant)) for part in command]
    given = {
        "PATH": f"{place}/bin:{os.environ['PATH']}",  # some start other programs of theirs
        "PYTHONPATH": str(ROOT),
        "PEER_MODEL": str(model / str(newest) / "model.onnx"),
        "PEER_KERAS_MODEL": str(small_model.keras_model()) if name == "course" else "",
    }
    return Server(peer.title, command, ready=peer.ready, environment=given | dict(peer.environment))
