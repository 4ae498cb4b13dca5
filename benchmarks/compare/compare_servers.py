"""What ``python -m benchmarks peers`` does."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.console import Console

import serve
from benchmarks import ROOT, SERVING, progress
from benchmarks.compare import comparison, trial
from benchmarks.compare.comparison import Contender
from benchmarks.compare.trial import SHAPES
from benchmarks.errors import BenchmarkError
from benchmarks.fixtures import small_model
from benchmarks.load import golden_rows
from benchmarks.load.prepared_request import Letter, Stock
from benchmarks.load.protocols import Model
from benchmarks.peers import peer_environment
from benchmarks.peers.peer_list import PEERS, Peer
from benchmarks.system import machine, servers


def run(wanted: argparse.Namespace, console: Console) -> None:
    """Measure ours and the peers in turn, and print the table.

    Raises:
        BenchmarkError: a peer can't be installed or started, or answers wrongly.

    """
    chosen = wanted.only or list(PEERS)
    with console.status("training the model, where there is none"):
        models = small_model.models()
    for name in chosen:
        peer_environment.install(name, PEERS[name], console)
    stock = _stock(models)
    contenders = [_ours(models, stock), *(_theirs(name, models, stock) for name in chosen)]
    with progress.steps(console, len(contenders) * len(SHAPES) * wanted.rounds) as step:
        for turn in range(wanted.rounds):
            for one in contenders if turn % 2 == 0 else reversed(contenders):
                if not one.fault:
                    _try(one, wanted.seconds, step)
    if contenders[0].fault:
        raise BenchmarkError(contenders[0].fault)
    _tell(contenders, wanted, console)


def _try(one: Contender, seconds: float, step: Callable[[object], None]) -> None:
    """One round of one server; one that fails is left out from then on, and the others go on."""
    try:
        one.trials.append(trial.run(one.start(), one.letters, seconds, step))
    except BenchmarkError as error:
        one.fault = str(error)


def _stock(models: Path) -> Stock:
    """Letters of digits that the model knows, as our own server says."""
    with servers.ours(models) as server:
        return Stock(
            golden_rows.known(server.base, Model(), golden_rows.read(ROOT / "data")), Model()
        )


def _ours(models: Path, stock: Stock) -> Contender:
    return Contender(
        title="onnxlet",
        version=serve.__version__,
        megabytes=peer_environment.megabytes(SERVING.parent.parent),
        settings="two workers, else its defaults",
        start=partial(servers.ours, models),
        letters={shape.rows: stock.letters("predict", shape.rows)[0] for shape in SHAPES},
    )


def _theirs(name: str, models: Path, stock: Stock) -> Contender:
    peer = PEERS[name]
    return Contender(
        title=peer.title,
        version=f"({peer.package} {peer_environment.version(name, peer)})",
        megabytes=peer_environment.megabytes(peer_environment.folder(name, peer)),
        settings=peer.settings,
        start=partial(peer_environment.server, name, peer, models),
        letters={
            shape.rows: _letter(stock.letters(peer.dialect, shape.rows)[0], peer)
            for shape in SHAPES
        },
    )


def _letter(letter: Letter, peer: Peer) -> Letter:
    """The same with a peer's path, and its way to read answers."""
    return replace(
        letter,
        request=replace(letter.request, path=peer.path),
        dialect=replace(letter.dialect, classes=peer.classes),
    )


def _tell(contenders: Sequence[Contender], wanted: argparse.Namespace, console: Console) -> None:
    comparison.write_json(contenders, machine.described(), wanted.out)
    console.print(f"wrote {wanted.out}", highlight=False, soft_wrap=True)
    table = comparison.table(contenders)
    progress.out(180).print(table, highlight=False)
    told = [*comparison.ahead(contenders), machine.circumstances()]
    print("\n".join(told))
    if wanted.markdown:
        command = " ".join(["python -m benchmarks", *sys.argv[1:]])
        comparison.write(contenders, wanted.markdown, f"`{command}`, {machine.circumstances()}")
        console.print(f"wrote {wanted.markdown}", highlight=False)
