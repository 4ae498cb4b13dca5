"""serve/ and bundle/ stand on few packages; none of those that train and export need."""

import ast
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT, run

ALLOWED = {
    "bundle": {"numpy", "bundle", "ecdsa"},
    "serve": {"numpy", "bundle", "serve", "onnxruntime", "flask", "werkzeug", "waitress"}
    | {"simdjson", "orjson", "prometheus_client"},
}
FORBIDDEN = ("tensorflow", "keras", "mlflow", "tf2onnx", "onnx", "train", "export")


def imported(part: str) -> Iterator[tuple[str, str]]:
    """(file, top-level package) of every import in a part."""
    for path in (ROOT / part).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((path.name, alias.name.split(".")[0]) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                assert node.module
                yield path.name, node.module.split(".")[0]


@pytest.mark.parametrize("part", ALLOWED)
def test_imports_only_what_the_design_allows(part: str) -> None:
    others = {
        (file, package)
        for file, package in imported(part)
        if package not in ALLOWED[part] | sys.stdlib_module_names
    }
    assert others == set()


def test_only_one_module_knows_onnxruntime() -> None:
    assert {file for file, package in imported("serve") if package == "onnxruntime"} == {
        "session.py"
    }


def test_serving_loads_nothing_of_training() -> None:
    code = "import sys, serve.__main__, serve.worker.worker; print(*sys.modules)"
    done = run(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "onnxruntime" in loaded
    assert loaded.isdisjoint(FORBIDDEN)


def test_the_supervisor_loads_the_standard_library_alone() -> None:
    """It lives as long as the service, and what it loads its workers can't share for long."""
    done = run(sys.executable, "-c", "import sys, serve.__main__; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    own = {name for name in done.stdout.split() if name.startswith("serve.")}
    assert "serve.supervisor.supervisor" in own
    loaded = {name.split(".")[0] for name in done.stdout.split()} - {"serve", "bundle", "__main__"}
    # What the environment itself loads at every start is not the supervisor's doing.
    at_start = run(sys.executable, "-c", "import sys; print(*sys.modules)").stdout.split()
    assert loaded - sys.stdlib_module_names <= {name.split(".")[0] for name in at_start}


def test_the_serving_environment_has_no_training_packages() -> None:
    """Its lock file says so on every machine; the installed environment is checked by name."""
    locked = {
        line.split("==")[0]
        for line in (ROOT / "requirements/serve.txt").read_text().splitlines()
        if "==" in line
    }
    assert {"onnxruntime", "flask", "waitress"} <= locked
    assert locked.isdisjoint({*FORBIDDEN, "tensorflow-cpu", "mlflow-skinny"})
    done = run("requirements/uv", "pip", "freeze", "--python", ROOT / ".venv-serve")
    assert done.returncode == 0, done.stderr
    installed = {line.split("==")[0] for line in done.stdout.split()}
    assert installed == locked
