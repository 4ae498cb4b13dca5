"""The files of the web pages, and the example of a model, as HTTP clients see them."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from serve import pages
from tests.conftest import Digits
from tests.servers.live import Server

FILES = sorted(path.name for path in pages.FOLDER.iterdir())
API_PAGE = {"docs.html", "docs.css", "docs.js"}
OTHER_MODELS = ("two", "fixed", "open", "flags", "bytes", "scalar", "turned")
OUTSIDE = re.compile(r"""(?:https?:)?//[\w-]+\.\w+|@import|\beval\b|style=|\son\w+=["']""")


@pytest.fixture(scope="module")
def other_server(other_repository: Path) -> Iterator[Server]:
    with Server("--models", str(other_repository)) as running:
        yield running


def test_serves_both_pages(server: Server) -> None:
    for path, file in (("/", "index.html"), ("/docs", "docs.html")):
        answer = server.request("GET", path)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.body == (pages.FOLDER / file).read_bytes()
        policy = dict(
            part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"


@pytest.mark.parametrize("file", FILES)
def test_serves_every_file(server: Server, file: str) -> None:
    answer = server.request("GET", f"/pages/{file}")
    assert answer.status == 200
    assert answer.body == (pages.FOLDER / file).read_bytes()
    assert answer.headers["Content-Type"] == pages.TYPES[Path(file).suffix]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("file", FILES)
def test_no_file_needs_another_host_or_inline_code(file: str) -> None:
    text = (pages.FOLDER / file).read_text().replace("http://www.w3.org/2000/svg", "")
    assert not OUTSIDE.search(text)


def test_the_files_are_small() -> None:
    def size(files: Iterable[str]) -> int:
        return sum((pages.FOLDER / file).stat().st_size for file in files)

    assert size(set(FILES) - API_PAGE) <= 60_000
    assert size(API_PAGE) <= 10_000


@pytest.mark.parametrize("file", ["__init__.py", "..", "%2e%2e", "missing.js"])
def test_serves_no_other_file(server: Server, file: str) -> None:
    assert server.request("GET", f"/pages/{file}").status == 404


def test_can_be_disabled(repository: Path) -> None:
    with Server("--models", str(repository), "--pages", "off") as server:
        for path in ("/", "/docs", "/pages/page.js", "/v2/models/mnist/example"):
            answer = server.request("GET", path)
            assert answer.status == 404
            assert answer.json() == {"error": "the web pages are disabled (--pages off)"}
        assert server.request("GET", "/v2/models/mnist").status == 200


def test_the_example_of_digits_is_real_test_digits(server: Server, digits: Digits) -> None:
    for path in ("/v2/models/mnist", "/v2/models/mnist/versions/1"):
        (image,) = server.request("GET", f"{path}/example").json()["inputs"]
        assert (image["name"], image["datatype"]) == ("image", "FP32")
        rows = np.reshape(image["data"], image["shape"])
        assert rows.shape == (10, 784)
        known = {digit.tobytes() for digit in digits.images}
        assert all(row.astype("u1").tobytes() in known for row in rows)


@pytest.mark.parametrize("name", OTHER_MODELS)
def test_every_model_answers_its_example(other_server: Server, name: str) -> None:
    example = other_server.request("GET", f"/v2/models/{name}/example").json()
    answer = other_server.request("POST", f"/v2/models/{name}/infer", json.dumps(example))
    assert answer.status == 200, answer.body


def test_metadata_has_size_and_range(server: Server, repository: Path) -> None:
    metadata = server.request("GET", "/v2/models/mnist").json()
    assert metadata["size_bytes"] == (repository / "mnist/1/model.onnx").stat().st_size
    assert metadata["inputs"][0]["range"] == [0, 255]
    assert "range" not in metadata["outputs"][0]
