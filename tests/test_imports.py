"""Parts and packages import each other in one direction only."""

import sys

import pytest

from tests import imports

# From top to bottom: each layer imports only itself and those below it.
LAYERS = {
    "bundle": ["bundle"],
    "cli": ["cli"],
    "tracking": ["tracking"],
    "train": [
        "train",
        "train.sweep train.compare train.baseline",
        "train.run_arguments",
        "train.training train.reading",
        "train.evaluation train.network",
        "train.data",
        "train.run_options train.preset train.data_options train.augmentation_options"
        " train.option_fields",
        "train.errors",
    ],
    "export": [
        "export",
        "export.registry",
        "export.versions export.importing",
        "export.publishing",
        "export.proof export.graph",
        "export.source_run export.best_run export.child_process export.variant"
        " export.feature_limits",
        "export.errors",
    ],
    "benchmarks": [
        "benchmarks",
        "benchmarks.run benchmarks.compare benchmarks.capacity benchmarks.regress",
        "benchmarks.profile",
        "benchmarks.report",
        "benchmarks.peers",
        "benchmarks.fixtures",
        "benchmarks.load",
        "benchmarks.system",
        "benchmarks.progress benchmarks.errors",
    ],
    "serve": [
        "serve",
        "serve.supervisor",
        "serve.worker",
        "serve.http",
        "serve.api",
        "serve.pages serve.telemetry",
        "serve.inference",
        "serve.protocols",
        "serve.models",
        "serve.rollout",
        "serve.versions",
        "serve.processes",
        "serve.settings serve.option_types serve.log_output serve.version serve.errors",
    ],
}
MAY_IMPORT = {
    "bundle": set(),
    "cli": set(),
    "tracking": {"cli"},
    "train": {"bundle", "cli", "tracking"},
    "export": {"cli", "tracking", "bundle"},
    "serve": {"bundle"},
    "benchmarks": {"bundle", "cli", "tracking", "export", "serve"},
}


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_a_part_imports_only_the_parts_below_it(part: str) -> None:
    ours = imports.foreign(part) & MAY_IMPORT.keys()
    assert ours - {part} <= MAY_IMPORT[part]


@pytest.mark.parametrize("part", LAYERS)
def test_packages_import_in_one_direction(part: str) -> None:
    assert imports.against_direction(part, LAYERS[part]) == set()


@pytest.mark.parametrize("part", LAYERS)
def test_no_modules_import_each_other(part: str) -> None:
    assert imports.cycles(part) == []


def test_the_parts_that_all_share_need_few_packages() -> None:
    standard = set(sys.stdlib_module_names)
    assert imports.foreign("cli") - standard == {"cli", "plotly"}
    tracking = {"cli", "tracking", "mlflow", "numpy", "sqlalchemy"}
    assert imports.foreign("tracking") - standard == tracking
