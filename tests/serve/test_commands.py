"""The commands that don't serve."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bundle import reader
from tests.conftest import ROOT, Digits, run
from tests.servers.live import Server


def serve(*arguments: str | Path, body: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "serve", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, input=body, capture_output=True, text=True, check=False
    )


def test_check_tells_what_would_be_served(repository: Path) -> None:
    done = serve("check", "--models", repository)
    manifest = reader.read_version(repository, "mnist", 1).manifest
    assert manifest
    assert (done.returncode, done.stderr) == (0, "")
    for line in (
        "mnist version 1 can be served",
        "  input image: float32 [-1, 784], values from 0 to 255",
        "  output probabilities: float32 [-1, 10]",
        f"  MLflow run: {manifest.run_id}",
        f"  published: {manifest.created}",
    ):
        assert line in done.stdout.splitlines()
    assert f"test_accuracy {manifest.metrics['test_accuracy']:.4g}" in done.stdout


def test_check_lists_the_features_of_a_table(table_repository: Path) -> None:
    done = serve("check", "--models", table_repository)
    assert "  features: age (number), job (category), paid (boolean)\n" in done.stdout
    assert 'options={"zipmap": False}' in done.stdout + done.stderr


def test_check_of_what_cannot_be_served(tmp_path: Path) -> None:
    done = serve("check", "--models", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"serve: {tmp_path}: no model here; `python -m export` publishes one\n"


def test_predict_answers_as_the_server_does(
    repository: Path, server: Server, digits: Digits, tmp_path: Path
) -> None:
    body = json.dumps({"images": digits.images[:3].tolist()})
    (tmp_path / "body.json").write_text(body)
    expected = server.request("POST", "/predict", body).body.decode() + "\n"
    from_file = serve("predict", tmp_path / "body.json", "--models", repository)
    assert (from_file.returncode, from_file.stdout) == (0, expected)
    from_input = serve("predict", "-", "--models", repository, body=body)
    assert from_input.stdout == expected


def test_predict_of_a_bad_request(repository: Path, tmp_path: Path) -> None:
    done = serve("predict", "-", "--models", repository, body='{"image": []}')
    assert done.returncode == 1
    assert "784 numbers" in json.loads(done.stdout)["error"]
    missing = serve("predict", tmp_path / "none.json", "--models", repository)
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == f"serve: {tmp_path}/none.json: No such file or directory\n"


@pytest.mark.parametrize("arguments", [("predict",), ("check", "file"), ("explain",)])
def test_wrong_commands_are_usage_errors(arguments: tuple[str, ...]) -> None:
    assert serve(*arguments).returncode == 2


def test_a_first_argument_serve_serves(repository: Path) -> None:
    with Server("serve", "--models", str(repository)) as server:
        assert server.request("GET", "/v2/health/ready").status == 200


def test_what_the_reference_shows_works(repository: Path) -> None:
    """The commands of docs/serving.md, with this interpreter and the tests' model."""
    text = (ROOT / "docs/serving.md").read_text()
    shown = [line for line in text.splitlines() if line.startswith(".venv-serve/bin/python")]
    assert len(shown) == 2
    for line in shown:
        _, *arguments = line.split()
        done = run(sys.executable, *arguments, "--models", repository)
        assert done.returncode == 0, done.stderr
