"""``python -m benchmarks compare``: what users could choose instead, under the same load."""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.console import Console

import serve
from benchmarks import SERVING, progress
from benchmarks.compare import comparison
from benchmarks.compare.comparison import LOADS, Contender, Trial
from benchmarks.errors import BenchmarkError
from benchmarks.fixtures import small_model, table_model
from benchmarks.load import answer_check, golden_rows, prepared_request, rounds
from benchmarks.load.golden_rows import GoldenModel
from benchmarks.load.prepared_request import PreparedRequest
from benchmarks.load.rounds import Target
from benchmarks.peers import peer_environment
from benchmarks.peers.peer_list import PEERS
from benchmarks.progress import Step
from benchmarks.report import files, tables
from benchmarks.system import affinity, machine, servers
from benchmarks.system.affinity import Affinity


def run(options: argparse.Namespace, console: Console) -> None:
    """Measure ours and the peers in turn, and print the table.

    Raises:
        BenchmarkError: our server fails, or with ``--check`` a peer does.

    """
    options.out.parent.mkdir(parents=True, exist_ok=True)
    tables.check_document(options.markdown)
    if options.table:
        options.models, options.model = table_model.prepare(), table_model.NAME
    cpus = affinity.halves()
    contenders = _contenders(options, cpus, console)
    if options.check:
        _check(contenders)
        return
    with progress.steps(console, len(contenders) * len(LOADS) * options.rounds) as step:
        for turn in range(options.rounds):
            for one in contenders if turn % 2 == 0 else reversed(contenders):
                if not one.fault:
                    _try(one, options.seconds, cpus, step)
    if contenders[0].fault:
        raise BenchmarkError(contenders[0].fault)
    _show(contenders, options, cpus, console)


def _contenders(options: argparse.Namespace, cpus: Affinity, console: Console) -> list[Contender]:
    models = options.models
    small_model.prepare(models, console)
    golden = golden_rows.published(models, options.model)
    ours = Contender(
        title="onnxlet",
        version=serve.__version__,
        megabytes=peer_environment.megabytes(SERVING.parent.parent),
        settings="its defaults",
        start=partial(
            servers.onnxlet,
            models,
            "--default-model",
            options.model,
            workers=cpus.workers,
            cpus=cpus.server,
        ),
        requests={shape.rows: _request("predict", golden, shape.rows) for shape in LOADS},
    )
    names = [name for name in options.only if PEERS[name].is_for_tables == options.table]
    return [ours, *(_peer(name, models, golden, cpus, console) for name in names)]


def _request(protocol: str, golden: GoldenModel, rows: int) -> PreparedRequest:
    return prepared_request.prepare(protocol, golden.model, golden.rows, rows)


def _peer(
    name: str, models: Path, golden: GoldenModel, cpus: Affinity, console: Console
) -> Contender:
    peer, model = PEERS[name], golden.model.name
    contender = Contender(
        title=peer.title,
        version="",
        megabytes=0,
        settings=peer.settings,
        start=partial(peer_environment.server, name, models, model, cpus),
        requests={
            shape.rows: _readdressed(_request(peer.protocol, golden, shape.rows), name)
            for shape in LOADS
        },
    )
    try:
        peer_environment.install(name, console)
    except BenchmarkError as error:
        contender.fault = str(error)
    else:
        contender.version = f"({peer.package} {peer_environment.version(name)})"
        contender.megabytes = peer_environment.megabytes(peer_environment.folder(name))
    return contender


def _readdressed(prepared: PreparedRequest, name: str) -> PreparedRequest:
    """The same request, to a peer's path, and with its way to read answers."""
    peer = PEERS[name]
    path = peer.path.replace("{name}", prepared.model.name)
    return replace(
        prepared,
        request=replace(prepared.request, path=path),
        protocol=replace(prepared.protocol, outputs=peer.outputs),
    )


def _check(contenders: list[Contender]) -> None:
    """Start each server once, and check its answers, without a load."""
    for one in contenders:
        try:
            if not one.fault:
                with one.start() as server:
                    for prepared in one.requests.values():
                        answer_check.check(server.base, prepared, one.title)
        except BenchmarkError as error:
            one.fault = str(error)
        print(f"{one.title} {one.version}: {one.fault or 'answers correctly'}", flush=True)
    if faults := [one.title for one in contenders if one.fault]:
        raise BenchmarkError(f"not all servers answer correctly: {', '.join(faults)}")


def _try(contender: Contender, seconds: float, cpus: Affinity, step: Step) -> None:
    """One round of one server; if it fails, it is left out from then on."""
    try:
        with contender.start() as server:
            for prepared in contender.requests.values():
                answer_check.check(server.base, prepared, server.name)
            measured = {}
            for shape in LOADS:
                step(f"{server.name}, {shape}")
                target = Target(server, contender.requests[shape.rows].request, cpus.generator)
                rate = rounds.warm_up(target, shape)
                measured[str(shape)] = rounds.measure(target, shape, seconds, rate)
            memory = server.tree.memory_mib()
        contender.trials.append(Trial(measured, server.seconds_to_ready, memory))
    except BenchmarkError as error:
        contender.fault = str(error)


def _show(
    contenders: list[Contender], options: argparse.Namespace, cpus: Affinity, console: Console
) -> None:
    circumstances = machine.description() | {"placement": str(cpus)}
    servers = comparison.to_json(contenders)
    files.write_json({"circumstances": circumstances, "servers": servers}, options.out)
    progress.wrote(console, options.out)
    rows = [comparison.row(one) for one in contenders if not one.fault]
    tables.show(comparison.HEAD, rows)
    source = f"{machine.circumstances()}; {cpus}"
    print("\n".join([*comparison.ahead(contenders), source]))
    if options.markdown:
        facts = [f"{tables.command()}, {source}", *comparison.facts(contenders)]
        marker = comparison.TABLE_MARKER if options.table else comparison.MARKER
        tables.put(options.markdown, marker, comparison.HEAD, rows, facts)
        progress.wrote(console, options.markdown)
