"""One export, from a run to a published version: prepare, publish, record."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bundle.errors import BundleError
from bundle.manifest import Manifest
from export import source_run
from export.errors import ExportError
from export.publishing.prepare import prepare
from export.publishing.publish import publish
from export.registry.mlflow_record import record
from export.variant import Variant


@dataclass(frozen=True)
class Published:
    """What an export made."""

    folder: Path
    manifest: Manifest
    registered: str
    """Its version in MLflow's registry."""


def export(run_id: str, name: str, root: Path, variant: Variant, console: Console) -> Published:
    """Publish the model of ``run_id`` as the next version of ``name`` below ``root``.

    Raises:
        ExportError: a step failed, or the model is not what was asked for. Nothing was published
            then, unless the message says so: only the record in MLflow comes after that.

    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with console.status("fetching the run's model and test set"):
            origin = source_run.load(run_id, folder)
        prepared = prepare(origin, variant, folder, console)
        try:
            published, manifest = publish(origin, prepared, root, name)
        except BundleError as error:
            raise ExportError(str(error)) from None
        except OSError as error:
            raise ExportError(f"{root}: cannot publish: {error.strerror}") from None
    console.print(f"published {published}", highlight=False, markup=False, soft_wrap=True)
    with console.status("registering it in MLflow"):
        version = record(published, manifest, origin, variant)
    return Published(published, manifest, version)
