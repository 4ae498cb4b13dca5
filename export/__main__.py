"""``python -m export``: publish the model of an MLflow run. ``--help`` explains every option."""

import argparse
import sys
from collections.abc import Callable

from rich.console import Console

from cli import interrupt
from cli.errors import CommandError
from export import export_arguments


def main() -> int:
    """Run the command line; returns the exit status."""
    wanted = export_arguments.parse(sys.argv[1:])
    interrupt.on_every_signal()
    console = Console(stderr=True)
    try:
        _RUN[wanted.command](wanted, console)
    except CommandError as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("export: interrupted", file=sys.stderr)
        return 130
    return 0


# Imports that take seconds, above all MLflow, come after the options were read.


def _export(wanted: argparse.Namespace, console: Console) -> None:
    from export import best_run, pipeline, source_run
    from export.variant import Variant
    from export.versions import version_report

    variant = Variant(
        input=wanted.input,
        quantize=wanted.quantize,
        weights=wanted.weights,
        max_drop=wanted.max_drop,
    )
    source_run.connect()
    run_id = wanted.run or best_run.best_run(wanted.experiment, wanted.best or None, wanted.name)
    published = pipeline.export(run_id, wanted.name, wanted.models, variant, console, wanted.limits)
    manifest = published.manifest
    version_report.show(console, published.folder, manifest)
    _say(console, f"registered in MLflow as {manifest.name} version {published.registered}")
    print(published.folder)


def _import(wanted: argparse.Namespace, console: Console) -> None:
    from export.importing.import_model import import_model
    from export.versions import version_report

    folder, manifest = import_model(
        wanted.file, wanted.name, wanted.class_names, wanted.rows, wanted.models
    )
    version_report.show(console, folder, manifest)
    print(folder)


def _list(wanted: argparse.Namespace, console: Console) -> None:
    from export.versions import listing

    versions = listing.versions(wanted.models, wanted.name)
    out = Console(width=None if sys.stdout.isatty() else 120)
    out.print(listing.table(versions))
    if wanted.markdown:
        listing.write(versions, wanted.markdown)
        _say(console, f"wrote {wanted.markdown}")


def _verify(wanted: argparse.Namespace, console: Console) -> None:
    from export.versions.verify import verify

    verify(wanted.folder, wanted.key, console)
    _say(console, f"{wanted.folder} is unchanged")


def _sign(wanted: argparse.Namespace, console: Console) -> None:
    from export.versions.sign import sign

    _say(console, f"wrote {sign(wanted.folder, wanted.key)}")


def _pull(wanted: argparse.Namespace, console: Console) -> None:
    from export.versions.pull import pull

    folder = pull(wanted.source, wanted.name, wanted.version, wanted.models, wanted.key)
    _say(console, f"{folder} is whole" + (" and signed" if wanted.key else ""))
    print(folder)


def _promote(wanted: argparse.Namespace, console: Console) -> None:
    from export.registry.gate import Limits
    from export.registry.promote import promote

    limits = Limits(
        margin=wanted.margin,
        min_accuracy=wanted.min_accuracy,
        max_rmse=wanted.max_rmse,
        p99_ms=wanted.p99,
        agreement=wanted.agreement,
        metrics_url=wanted.metrics,
        key=wanted.key,
    )
    result = promote(wanted.models, wanted.name, wanted.version, wanted.alias, limits, wanted.force)
    for reason in result.forced:
        _say(console, f"promoted despite {reason}")
    _say(console, f"{wanted.name} version {wanted.version} is {wanted.alias}, {result.where}")


def _rollback(wanted: argparse.Namespace, console: Console) -> None:
    from export.registry.promote import rollback

    version, result = rollback(wanted.models, wanted.name, wanted.alias, wanted.key)
    _say(console, f"{wanted.name} version {version} is {wanted.alias} again, {result.where}")


def _traffic(wanted: argparse.Namespace, console: Console) -> None:
    from export.registry.traffic import share

    _say(console, share(wanted.models, wanted.name, dict(wanted.weights), wanted.shadow))


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


_RUN: dict[str, Callable[[argparse.Namespace, Console], None]] = {
    "": _export,
    "import": _import,
    "list": _list,
    "verify": _verify,
    "sign": _sign,
    "pull": _pull,
    "promote": _promote,
    "traffic": _traffic,
    "rollback": _rollback,
}


if __name__ == "__main__":
    sys.exit(main())
