"""The pages in examples/, followed from training to the answer of a server.

Training and export run in this process, because each import of TensorFlow takes seconds. Trees and
the comparison, which are the same on all pages, run for one of them.
"""

import json
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundle import reader
from tests.commands import call
from tests.conftest import ROOT
from tests.documents import blocks
from tests.servers.live import Server

pytestmark = pytest.mark.timeout(1200)  # whole trainings, on a machine that may be busy


@dataclass(frozen=True)
class Example:
    """What a page leads to."""

    page: str
    data: str
    answers: tuple[Any, ...]
    """Labels, class numbers, or between which values each prediction is."""


EXAMPLES = (
    Example("breast_cancer", "breast_cancer", ("malignant", "benign")),
    Example("penguins", "penguins", ("Adelie", "Chinstrap", "Gentoo")),
    Example("diabetes", "diabetes", ((100, 280), (40, 160))),
    Example("digits8", "digits", (0, 1, 2)),
)


def test_every_page_is_followed() -> None:
    pages = {path.stem for path in (ROOT / "examples").glob("*.md")}
    assert pages == {example.page for example in EXAMPLES}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.page)
def test_from_training_to_an_answer(example: Example, shared: Path, tmp_path: Path) -> None:
    shutil.copy(shared / "mlflow.db", tmp_path)  # an empty one takes MLflow seconds to make
    (tmp_path / "data").symlink_to(ROOT / "data")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    page = ROOT / f"examples/{example.page}.md"
    training, export, serve, ask, load = blocks.read(page)
    assert load.mark == "slow"
    train, *others = training.text.splitlines()
    for command in (train, *(others if example.page == "penguins" else ()), export.text):
        done = follow(command, tmp_path)
    assert done == f"models/{example.data}/1\n"
    manifest = reader.read_version(tmp_path / "models", example.data, 1).manifest
    assert manifest
    _, _, options = serve.text.strip().partition("-m serve ")
    models = ("--models", str(tmp_path / "models"))
    with Server(*models, *shlex.split(options)) as server:
        (body,) = re.fullmatch(r"curl -d @(\S+) http://127.0.0.1:8080/predict\n", ask.text).groups()
        answer = server.request("POST", "/predict", (tmp_path / body).read_bytes())
    assert answer.status == 200, answer.body
    check(answer.json(), example)
    (shown,) = re.findall(r"^```json\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    check(json.loads(shown), example)


def follow(command: str, folder: Path) -> str:
    """Run a command of a page; returns what it prints."""
    interpreter, option, part, *arguments = shlex.split(command)
    assert (interpreter, option) == (".venv/bin/python", "-m")
    done = call(part, *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check(answer: Any, example: Example) -> None:
    if example.page == "diabetes":
        for value, (low, high) in zip(answer["predictions"], example.answers, strict=True):
            assert low < value < high
        return
    given = answer.get("labels", answer["predictions"])
    assert given == list(example.answers)
    assert np.argmax(answer["probabilities"], axis=1).tolist() == answer["predictions"]
