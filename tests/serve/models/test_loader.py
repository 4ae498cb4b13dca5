"""A worker loads the versions of a plan, and keeps what it has if it can't."""

from pathlib import Path

import pytest

from serve import command_line
from serve.models.catalog import Catalog
from serve.models.loader import Loader
from serve.versions.serving_plan import PlannedModel, PlannedVersion, ServingPlan, VersionId
from tests.models.plus import Plus


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "shared"
    path.mkdir()
    return path


def write_plan(folder: Path, *versions: int) -> None:
    planned = PlannedModel({number: PlannedVersion(f"files {number}") for number in versions})
    ServingPlan(max(versions), {"plus": planned}, "plus").write(folder)


def test_a_version_that_can_not_be_loaded_leaves_the_one_before(plus: Plus, folder: Path) -> None:
    settings = command_line.load(["--models", str(plus.folder)], {})
    loader, catalog = Loader(settings, folder, lambda: None), Catalog()
    write_plan(folder, 1)
    assert [*loader.load_now().models] == [VersionId("plus", 1, "files 1")]
    plus.publish(2)
    plus.corrupt(2)
    write_plan(folder, 2)
    loaded = loader.load_now()
    assert [*loaded.models] == [VersionId("plus", 1, "files 1")]
    (failure,) = loaded.failures
    assert failure.version_id == VersionId("plus", 2, "files 2")
    assert "checksum mismatch" in failure.reason
    catalog.follow(loaded.plan, loaded.models)
    assert catalog.find().spec.version == 1


def test_a_loaded_version_gives_way_to_the_new_one(plus: Plus, folder: Path) -> None:
    settings = command_line.load(["--models", str(plus.folder)], {})
    loader, catalog = Loader(settings, folder, lambda: None), Catalog()
    write_plan(folder, 1)
    loader.load_now()
    plus.publish(2)
    write_plan(folder, 2)
    loaded = loader.load_now()
    catalog.follow(loaded.plan, loaded.models)
    assert [*catalog.models["plus"].ready] == [2]
