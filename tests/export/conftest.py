"""What the tests of export share: the run and the store behind mnist/1."""

from pathlib import Path

import mlflow
import pytest

from bundle import reader


@pytest.fixture(scope="session")
def client(work: Path) -> mlflow.MlflowClient:
    """Of the store that the tests of this process have to themselves."""
    return mlflow.MlflowClient(f"sqlite:///{work}/mlflow.db")


@pytest.fixture(scope="session")
def run_id(repository: Path) -> str:
    """Id of the run that mnist/1 came from."""
    manifest = reader.read_version(repository, "mnist", 1).manifest
    assert manifest
    assert manifest.run_id
    return manifest.run_id
