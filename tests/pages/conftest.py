"""A server with models for the page, a browser, and pages that log nothing and ask no others."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests import browser as chromium
from tests.commands import call
from tests.models.shared import locked
from tests.servers.live import Server

OTHERS = ("two", "flags", "open")
TABLES = ("people", "prices")
Visit = Callable[..., Page]
expect.set_options(timeout=20_000)  # milliseconds; what comes about later than that has failed


@pytest.fixture(scope="session")
def page_repository(shared: Path, other_repository: Path, table_repository: Path) -> Path:
    """A repository with the shared mnist/1, iris/1 of scikit-learn, TABLES, and OTHERS."""
    folder = shared / "page-models"
    with locked(shared):
        if not folder.exists():
            made = shared / "page-work"
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            import_iris(made)
            shutil.copytree(shared / "models/mnist", made / "models/mnist")
            for name in OTHERS:
                shutil.copytree(other_repository / name, made / "models" / name)
            for name in TABLES:
                shutil.copytree(table_repository / name, made / "models" / name)
            (made / "models").rename(folder)
    return folder


def import_iris(folder: Path) -> None:
    rows, labels = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(rows.astype("f4"), labels)
    onnx = to_onnx(model, rows[:1].astype("f4"), options={"zipmap": False})
    (folder / "iris.onnx").write_bytes(onnx.SerializeToString())
    (folder / "iris.txt").write_text("setosa\nversicolor\nvirginica\n")
    options = ("--name", "iris", "--class-names", "iris.txt")
    done = call("export", "import", "iris.onnx", *options, cwd=folder)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def server(page_repository: Path) -> Iterator[Server]:
    with Server("--models", str(page_repository), "--workers", "1") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.launched() as launched:
        yield launched


def show(page: Page, server: Server, model: str) -> None:
    """Open the page of a server, and choose a model."""
    page.goto(f"http://127.0.0.1:{server.port}/")
    expect(page).to_have_title(re.compile(" – "))
    if page.input_value("#model") != model:
        page.select_option("#model", model)
    expect(page).to_have_title(f"{model} – onnxlet")


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    """Opens a page of the server. At the end, no page may have logged an error or asked others."""
    said: list[str] = []
    asked: set[str] = set()
    contexts = []

    def open_page(path: str = "/", model: str = "mnist", **options: object) -> Page:
        context = browser.new_context(**options)
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("request", lambda request: asked.add(request.url.split("/")[2]))
        if path == "/":
            show(page, server, model)
        else:
            page.goto(f"http://127.0.0.1:{server.port}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert asked == {f"127.0.0.1:{server.port}"}
