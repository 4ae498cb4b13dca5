"""Both images, built from the source, and a model that one of them made."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.images.engine import Engine, NoEngineError

USER = 65532
COMMIT = "0123abc"


@dataclass(frozen=True)
class Images:
    """An engine that has the images onnxlet-serve and onnxlet-train."""

    engine: Engine
    folder: Path


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = Engine(tmp_path_factory.mktemp("engine"))
    try:
        made.start()
    except NoEngineError as error:
        pytest.skip(str(error))
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git knows of the source: nothing that lies about takes part."""
    folder = tmp_path_factory.mktemp("source")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def images(engine: Engine, source: Path) -> Images:
    for name in ("serve", "train"):
        options = ("--file", source / f"Dockerfile.{name}", "--build-arg", f"COMMIT={COMMIT}")
        engine.build(f"onnxlet-{name}", *options, source)
    return Images(engine, source)


@pytest.fixture(scope="session")
def trained(images: Images, work: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which the training image has trained for an epoch and exported."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "data").mkdir()
    shutil.copy(work / "subset.npz", folder / "data")
    reachable(folder)
    mount = ("--volume", f"{folder}:/workspace")
    restrictions = ("--cap-drop", "ALL", "--security-opt", "no-new-privileges")
    run = ("run", "--rm", *restrictions, *mount, "onnxlet-train")
    change_owner = ("run", "--rm", "--user", "0", *mount, "--entrypoint", "chown", "onnxlet-train")
    images.engine.docker(*change_owner, "--recursive", f"{USER}:{USER}", "/workspace")
    try:
        data = ("--data", "data/subset.npz", "--experiment", "mnist")
        images.engine.docker(*run, "train", *data, "--epochs", "1")
        images.engine.docker(*run, "export", "--best", "--name", "mnist")
        yield folder
    finally:  # whoever runs the tests shall be able to remove it
        images.engine.docker(*change_owner, "--recursive", str(os.getuid()), "/workspace")


def readable(path: Path) -> Path:
    """The same, and the container's user can read all of it."""
    for one in (path, *path.rglob("*")):
        one.chmod(one.stat().st_mode | (0o055 if one.is_dir() else 0o044))
    return reachable(path)


def reachable(path: Path) -> Path:
    """The same, and the container's user gets there."""
    for one in path.parents:
        if one.stat().st_uid == os.getuid() and one != Path("/"):
            one.chmod(one.stat().st_mode | 0o011)
    return path
