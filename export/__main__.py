"""``python -m export``: publish the model of an MLflow run; ``--help`` explains every option."""

import sys

from rich.console import Console

from export import arguments
from export.arguments import Export, Promote
from export.errors import ExportError
from train import interrupt


def main() -> int:
    """Run the command line; returns the exit status."""
    wanted = arguments.parse(sys.argv[1:])
    interrupt.on_every_signal()
    console = Console(stderr=True)
    try:
        if isinstance(wanted, Promote):
            _promote(wanted, console)
        else:
            _export(wanted, console)
    except ExportError as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("export: interrupted", file=sys.stderr)
        return 130
    return 0


# MLflow is imported after the options were read: it takes seconds.


def _export(wanted: Export, console: Console) -> None:
    from export import pipeline, source

    source.connect()
    run_id = wanted.run or source.best_run(wanted.experiment, wanted.best or "")
    published = pipeline.export(run_id, wanted.name, wanted.models, console)
    console.print(published.table())
    print(published.folder)


def _promote(wanted: Promote, console: Console) -> None:
    from export import source
    from export.promote import promote

    source.connect()
    registered = promote(wanted.models, wanted.name, wanted.version, wanted.alias)
    console.print(
        f"{wanted.name} version {wanted.version} is {wanted.alias}, in {wanted.models} and, as"
        f" version {registered}, in MLflow's registry",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    sys.exit(main())
