"""Every command of README.md, run in a fresh copy of the project, in its order.

``make run`` is the whole default pipeline: a test asks its server for all 10,000 test digits.
"""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import ROOT, free_port, run
from tests.documents import blocks
from tests.documents.clone import Clone
from tests.servers.processes import eventually

PAGE = ROOT / "README.md"
README = PAGE.read_text()

pytestmark = pytest.mark.timeout(1200)  # whole trainings, on a machine that may be busy


def shown_answers() -> list[Any]:
    return list(
        map(json.loads, re.findall(r"^```json\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))
    )


def get(address: str, body: bytes | None = None) -> Any:
    with urllib.request.urlopen(address, body, timeout=60) as response:  # noqa: S310
        return json.load(response)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone.make(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def first_run(clone: Clone) -> Iterator[str]:
    """``make run`` in the fresh clone, served until the module's tests are done."""
    with clone.serving("make run") as serving:
        assert "serving mnist version 1 on" in serving.printed
        yield serving.printed
    assert serving.printed_later.endswith("ended\n")


def test_the_commands_are_those_that_the_tests_below_run() -> None:
    shown = blocks.read(PAGE)
    assert [block.text.splitlines()[0] for block in shown if not block.mark] == [
        "make run",
        "curl -d @examples/digits.json http://127.0.0.1:8080/predict",
        ".venv/bin/python examples/scikit_learn.py",
        ".venv/bin/python -m train --data penguins",
        ".venv/bin/python -m train --preset fast --epochs 3",
    ]
    assert [block.mark for block in shown if block.mark] == ["docker", "slow"]
    assert "make test" in (ROOT / ".ci/run").read_text()  # is what runs this


def test_make_run_prints_a_curl_that_works(clone: Clone, first_run: str) -> None:
    (line,) = re.findall(r"^  (curl .*)$", first_run, re.MULTILINE)
    done = run("bash", "-c", line, cwd=Path("/"))
    assert json.loads(done.stdout)["predictions"] == [7, 2, 1]
    again = clone.run(blocks.read(PAGE)[1].text)
    assert again.stdout == done.stdout
    answer, promised = json.loads(done.stdout), shown_answers()[0]
    assert {**answer, "probabilities": promised["probabilities"]} == promised
    assert np.shape(answer["probabilities"]) == (3, 10)
    assert get(f"{clone.url}/v2/health/ready") == {"ready": True}


def test_the_examples_are_the_first_digits_of_the_test_set(clone: Clone, first_run: str) -> None:
    with np.load(clone.folder / "data/mnist.npz") as mnist:
        expected = mnist["x_test"][:3].reshape(3, 784).tolist()
    assert json.loads((ROOT / "examples/digits.json").read_text()) == {"images": expected}


def test_98_percent_of_all_test_digits_through_the_api(clone: Clone, first_run: str) -> None:
    with np.load(clone.folder / "data/mnist.npz") as mnist:
        images, labels = mnist["x_test"].reshape(-1, 784), mnist["y_test"]
    predicted: list[int] = []
    for start in range(0, len(images), 500):
        body = json.dumps({"images": images[start : start + 500].tolist()}).encode()
        predicted += get(f"{clone.url}/predict", body)["predictions"]
    assert len(predicted) == 10_000
    accuracy = np.mean(np.array(predicted) == labels)
    assert accuracy >= 0.98
    manifest = json.loads((clone.folder / "models/mnist/1/manifest.json").read_text())
    assert accuracy == pytest.approx(manifest["metrics"]["test_accuracy"], abs=1e-6)
    assert manifest["parity"]["rows"] == 10_000 + 3 + 784 + 256


def test_the_second_make_run_only_serves(clone: Clone, first_run: str) -> None:
    port = str(free_port())
    with clone.serving(f"make run PORT={port}") as serving:
        assert "-m train" not in serving.printed
        assert f"http://127.0.0.1:{port}/predict" in serving.printed


def test_a_scikit_learn_model_is_served_in_three_commands(clone: Clone, first_run: str) -> None:
    """The server of ``make run`` takes up the model that the second command publishes."""
    convert, publish, ask = blocks.read(PAGE)[3].text.splitlines()
    done = clone.run(f"{convert}\n{publish}")
    assert done.stdout == "models/iris/1\n", done.stderr
    assert eventually(lambda: "iris" in str(get(f"{clone.url}/v1/models")))
    answer = json.loads(clone.run(ask).stdout)
    (got,) = answer["predictions"]
    assert got["label"] == 0
    assert got["probabilities"] == pytest.approx([0.98, 0.02, 0.0], abs=0.01)


def test_a_table_is_served_in_three_commands(clone: Clone, first_run: str) -> None:
    train, publish, ask = blocks.read(PAGE)[4].text.splitlines()
    done = clone.run(f"{train}\n{publish}")
    assert done.stdout.endswith("models/penguins/1\n"), done.stderr
    assert eventually(lambda: "penguins" in str(get(f"{clone.url}/v1/models")))
    answer = json.loads(clone.run(ask).stdout)
    assert answer["labels"] == ["Adelie", "Chinstrap", "Gentoo"]


def test_train_then_export_then_promote(clone: Clone, first_run: str) -> None:
    done = clone.run(blocks.read(PAGE)[-2].text)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^[0-9a-f]{32}$", done.stdout, re.MULTILINE)
    runs = {
        json.loads((clone.folder / f"models/mnist/{version}/manifest.json").read_text())["run_id"]
        for version in (1, 2)
    }
    assert len(runs) == 1  # the best one is still that of `make run`
    champion = f"{clone.url}/v2/models/mnist/versions/champion"
    assert eventually(lambda: version(champion) == 1)


def version(address: str) -> int:
    """Of the model that is behind a label; 0 while there is none."""
    try:
        return int(get(address)["provenance"]["version"])
    except urllib.error.HTTPError:
        return 0
