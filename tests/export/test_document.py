"""The commands of docs/exporting.md, one after the other, as they stand there."""

import json
import re
import shutil
import sys
from pathlib import Path

import mlflow
import pytest

from tests.conftest import ROOT, python_environment, run


@pytest.fixture
def folder(work: Path, tmp_path: Path) -> Path:
    """An empty folder with a copy of the MLflow store, whose artifacts stay where they are."""
    shutil.copy(work / "mlflow.db", tmp_path)
    return tmp_path


def test_the_commands_work_as_they_stand_there(folder: Path) -> None:
    text = (ROOT / "docs/exporting.md").read_text()
    (block,) = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    script = block.replace("python -m", f"{sys.executable} -m")
    environment = python_environment(MLFLOW_TRACKING_URI=f"sqlite:///{folder}/mlflow.db")
    done = run("bash", "-euc", script, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    assert "mnist/2" in done.stdout
    assert re.search(r"mnist/1 +float32", done.stdout)
    assert re.search(r"mnist/2 +uint8, int8 static", done.stdout)
    labels = json.loads((folder / "models/mnist/labels.json").read_text())
    assert labels == {"champion": 1}
    assert (folder / "models/mnist/1/model.sig").is_file()
    assert (folder / "models/adopted/1/manifest.json").is_file()
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    champion = client.get_model_version_by_alias("mnist", "champion")
    assert champion.tags["repository_version"] == "1"
