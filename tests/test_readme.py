"""Every command that README.md shows, run in a copy of the project, in its order.

``make run`` is the whole default pipeline: the last test asks its server for all 10,000 test
digits.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT, free_port, run
from tests.servers.processes import eventually

README = (ROOT / "README.md").read_text()
SECONDS = 600  # for the longest command: it trains for 40 epochs


def commands() -> list[str]:
    """The lines of all ``sh`` blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@dataclass
class Clone:
    """A copy of what git would hand out, with the project's environments and free ports."""

    folder: Path
    ports: dict[str, str] = field(
        default_factory=lambda: {port: str(free_port()) for port in ("8080", "5000")}
    )

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "MAKE"))}
        return kept | {
            "VENV": str(ROOT / ".venv"),
            "VENV_SERVE": str(ROOT / ".venv-serve"),
            "PORT": self.ports["8080"],
            "MLFLOW_PORT": self.ports["5000"],
        }

    def here(self, command: str) -> list[str]:
        """The command with this machine's free ports and our environments."""
        command = re.sub("|".join(self.ports), lambda port: self.ports[port[0]], command)
        return shlex.split(re.sub(r"^\.venv", f"{ROOT}/.venv", command))

    def start(self, command: str) -> subprocess.Popen[str]:
        """Start a command that serves, in a process group that Ctrl-C reaches as a whole."""
        return subprocess.Popen(
            self.here(command),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @contextmanager
    def serving(self, command: str) -> Iterator[str]:
        """Run a command that serves, and end it with Ctrl-C; gives what it prints at the start."""
        process = self.start(command)
        try:
            yield self.printed(process, "serving")
        finally:
            after = interrupt(process)
        news = ("mnist version 2 is served", "mnist: label champion is for version 1")
        assert after in {
            "".join(f"serve: {line}\n" for line in told) + "ended\n"
            for told in ((), news[:1], news[1:], news)
        }

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command that ends by itself."""
        return run(*self.here(command), cwd=self.folder, env=self.environment, timeout=SECONDS)

    def printed(self, process: subprocess.Popen[str], until: str) -> str:
        """What a started command prints up to a line that begins with ``until``."""
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith(until):
                return "".join(lines)
        raise AssertionError("".join(lines))


def interrupt(process: subprocess.Popen[str]) -> str:
    """Ctrl-C; returns what was printed after it."""
    os.killpg(process.pid, signal.SIGINT)
    return process.communicate(timeout=60)[0]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    folder = tmp_path_factory.mktemp("clone")
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard")
    for name in listed.stdout.splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return Clone(folder)


@pytest.fixture(scope="module")
def first_run(clone: Clone) -> Iterator[str]:
    """``make run`` in the fresh clone, served until the module's tests are done."""
    with clone.serving("make run") as printed:
        assert "serving mnist version 1 on" in printed
        yield printed


def test_the_commands_are_those_that_the_tests_below_run() -> None:
    assert commands() == [
        "make run",
        "curl -d @examples/digits.json http://127.0.0.1:8080/predict",
        "make test",
        ".venv/bin/python -m train --hidden 64 --epochs 3",
        ".venv/bin/python -m train --help",
        ".venv/bin/python -m train sweep regularization --seeds 1 --epochs 3",
        ".venv/bin/python -m train compare --html runs.html",
        "make mlflow",
        ".venv/bin/python -m export --best",
        ".venv/bin/python -m export --help",
        ".venv/bin/python -m export promote mnist 1 --alias champion",
        ".venv-serve/bin/python -m serve --models models --port 8080",
        ".venv-serve/bin/python -m serve --help",
        "curl http://127.0.0.1:8080/v2/health/ready",
    ]
    assert "make test" in (ROOT / ".ci/run").read_text()  # is what runs this


def test_make_run_prints_a_curl_that_works(clone: Clone, first_run: str) -> None:
    (line,) = re.findall(r"^  (curl .*)$", first_run, re.MULTILINE)
    done = run("bash", "-c", line, cwd=Path("/"))
    assert json.loads(done.stdout)["predictions"] == [7, 2, 1]
    again = clone.run(commands()[1])
    assert again.stdout == done.stdout
    (shown,) = re.findall(r"^```json\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    answer, promised = json.loads(done.stdout), json.loads(shown)
    assert {**answer, "probabilities": promised["probabilities"]} == promised
    assert np.shape(answer["probabilities"]) == (3, 10)
    ready = clone.run(commands()[-1])
    assert (ready.returncode, ready.stdout) == (0, '{"ready":true}')


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
        address = f"http://127.0.0.1:{clone.ports['8080']}/predict"
        with urllib.request.urlopen(address, body, timeout=60) as response:
            predicted += json.load(response)["predictions"]
    assert len(predicted) == 10_000
    accuracy = np.mean(np.array(predicted) == labels)
    assert accuracy >= 0.98
    manifest = json.loads((clone.folder / "models/mnist/1/manifest.json").read_text())
    assert accuracy == pytest.approx(manifest["metrics"]["test_accuracy"], abs=1e-6)
    assert manifest["parity"]["rows"] == 10_000 + 3 + 784 + 256


def test_the_second_make_run_only_serves(clone: Clone, first_run: str) -> None:
    port = str(free_port())
    with clone.serving(f"make run PORT={port}") as printed:
        assert "-m train" not in printed
        assert f"http://127.0.0.1:{port}/predict" in printed


def test_train_then_export_then_serve(clone: Clone, first_run: str, shared: Path) -> None:
    train, train_help, sweep, compare, mlflow, *others = commands()[3:13]
    export, export_help, promote, serve, serve_help = others
    for command in (train_help, export_help, serve_help):
        done = clone.run(command)
        assert done.returncode == 0
        assert "default" in done.stdout
    trained = clone.run(train)
    assert re.fullmatch(r"[0-9a-f]{32}\n", trained.stdout), trained.stderr
    swept = clone.run(f"{sweep} --data {shared}/few.npz")  # else it would take a minute
    assert re.fullmatch(r"[0-9a-f]{32}\n", swept.stdout), swept.stderr
    compared = clone.run(compare)
    assert "8 runs, best val_accuracy first" in compared.stdout, compared.stderr
    assert (clone.folder / "runs.html").read_text().startswith("<!doctype html>")
    exported = clone.run(export)
    assert exported.stdout == "models/mnist/2\n", exported.stderr
    runs = {
        json.loads((clone.folder / f"models/mnist/{version}/manifest.json").read_text())["run_id"]
        for version in (1, 2)
    }
    assert len(runs) == 1  # 40 epochs of 512 units are better than 3 of 64
    assert eventually(lambda: served_versions(clone) == ["1", "2"])  # by the first server
    promoted = clone.run(promote)
    assert promoted.returncode == 0, promoted.stderr
    clone.ports["8080"] = str(free_port())
    with clone.serving(serve) as printed:
        assert "mnist version 2" in printed
        address = f"http://127.0.0.1:{clone.ports['8080']}/v2/models/mnist/versions/champion"
        with urllib.request.urlopen(address, timeout=60) as response:
            assert json.load(response)["provenance"]["version"] == 1
    assert mlflow_page(clone, mlflow).startswith("<!doctype html>")


def served_versions(clone: Clone) -> list[str]:
    address = f"http://127.0.0.1:{clone.ports['8080']}/v2/models/mnist"
    with urllib.request.urlopen(address, timeout=60) as response:
        versions: list[str] = json.load(response)["versions"]
        return versions


def mlflow_page(clone: Clone, command: str) -> str:
    """The first page of MLflow's own pages, once they are served."""
    process = clone.start(command)
    address = f"http://127.0.0.1:{clone.ports['5000']}/"
    try:
        for _ in range(120):
            try:
                with urllib.request.urlopen(address, timeout=10) as response:
                    return str(response.read().decode())
            except OSError:
                time.sleep(0.5)
    finally:
        interrupt(process)
    raise AssertionError("MLflow did not answer")
