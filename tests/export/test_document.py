"""The commands of docs/exporting.md, one after the other, as they stand there."""

import json
import re
import shlex
import shutil
from pathlib import Path

import mlflow
import pytest

from tests.commands import call
from tests.conftest import ROOT, run


@pytest.fixture
def folder(work: Path, tmp_path: Path) -> Path:
    """An empty folder with a copy of the MLflow store, whose artifacts stay where they are."""
    shutil.copy(work / "mlflow.db", tmp_path)
    return tmp_path


def test_the_commands_work_as_they_stand_there(folder: Path) -> None:
    text = (ROOT / "docs/exporting.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    output = ""
    for line in "".join(blocks).splitlines():
        command, *arguments = shlex.split(
            line.removeprefix("python -m ").replace("$PWD", str(folder)), comments=True
        )
        if line.startswith("python -m "):
            done = call(command, *arguments, cwd=folder)
        else:
            done = run(command, *arguments, cwd=folder)
        assert done.returncode == 0, done.stderr
        output += done.stdout
    assert "mnist/2" in output
    assert re.search(r"mnist/1 +float32", output)
    assert re.search(r"mnist/2 +uint8, int8 static", output)
    labels = json.loads((folder / "models/mnist/labels.json").read_text())
    assert labels == {
        "champion": {"version": 1, "weight": 1},
        "challenger": {"version": 2, "shadow": True},
    }
    assert (folder / "models/mnist/1/model.sig").is_file()
    assert (folder / "models/adopted/1/manifest.json").is_file()
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    champion = client.get_model_version_by_alias("mnist", "champion")
    assert champion.tags["repository_version"] == "1"
