"""One export, from a run to a published version: prepare, publish, register."""

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bundle import layout
from bundle.errors import BundleError
from bundle.manifest import Manifest
from export import feature_limits, source_run
from export.errors import ExportError
from export.feature_limits import FeatureLimits
from export.publishing.prepare import prepare
from export.publishing.publish import publish
from export.registry.mlflow_record import record
from export.variant import Variant


@dataclass(frozen=True)
class Published:
    """The result of an export."""

    folder: Path
    manifest: Manifest
    registered: str
    """Its version in MLflow's registry."""


def export(
    run_id: str,
    name: str | None,
    root: Path,
    variant: Variant,
    console: Console,
    limits: Sequence[FeatureLimits] = (),
) -> Published:
    """Publish the model of ``run_id`` as the next version of ``name`` below ``root``.

    Without a name, the model is called like its data set. ``limits`` are those of its features.

    Raises:
        ExportError: a step failed, or the model does not meet the requirements. Nothing was
            published unless the message says so: only the registration in MLflow comes after it.

    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with console.status("downloading the model and test set of the run"):
            origin = source_run.load(run_id, folder)
        features = feature_limits.with_limits(origin.features, limits)
        origin = dataclasses.replace(origin, features=features)
        name = name or _data_set_name(origin.params)
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


def _data_set_name(params: Mapping[str, str]) -> str:
    """Name a model like the data set that it was trained on.

    Raises:
        ExportError: that is no name for a model, or not known.

    """
    name = params.get("dataset", "")
    if not layout.is_name(name):
        raise ExportError(
            f"the run's data set is called {name!r}, which is no name for a model: choose one with"
            " --name"
        )
    return name
