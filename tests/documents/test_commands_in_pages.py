"""The commands of the pages below docs/ work as they stand there, and say what the code says."""

import json
import re
from pathlib import Path

import pytest

from docs.generate import contents
from tests.conftest import ROOT
from tests.documents import blocks
from tests.documents.clone import Clone

PAGES = sorted((ROOT / "docs").glob("**/*.md"))
EXPLAINED = [page for page in PAGES if page.parent.name != "decisions"]
FRENCH = sorted((ROOT / "docs/fr").glob("*.md"))
ELSEWHERE = {"exporting.md", "own-model.md"}  # the first in tests/export/test_document.py
RUN = [
    page
    for page in PAGES
    if page not in FRENCH
    and page.name not in ELSEWHERE
    and any(not block.mark for block in blocks.read(page))
]
_SPAN = re.compile(r"`(.+?)`(?= \|| *,)")

pytestmark = pytest.mark.timeout(1200)  # whole trainings, on a machine that may be busy


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def clone(work: Path, tmp_path: Path) -> Clone:
    made = Clone.make(tmp_path)
    made.add_model(work)
    return made


@pytest.mark.parametrize("page", RUN, ids=name)
def test_the_commands_of_a_page_work(page: Path, clone: Clone) -> None:
    unmarked = [block for block in blocks.read(page) if not block.mark]
    printed = [output for _, output in clone.follow(unmarked)]
    assert len(printed) == len(unmarked)


def test_the_page_on_own_models_serves_iris(clone: Clone) -> None:
    asked = [
        output
        for block, output in clone.follow(blocks.read(ROOT / "docs/own-model.md"))
        if "curl" in block.text
    ]
    first, second, third = asked[0].strip().replace("}{", "}\n{").splitlines()
    assert json.loads(first)["predictions"][0]["label"] == 0
    assert json.loads(second)["outputs"][0]["data"] == [0]
    assert json.loads(third)["predictions"]["label"] == [0, 2]
    (status,) = json.loads(asked[1].splitlines()[-1])["model_version_status"]
    assert (status["version"], status["state"]) == ("2", "AVAILABLE")


def test_messages_of_the_page_on_troubles_are_those_of_the_code() -> None:
    """``…`` stands for what a message fills in."""
    page = (ROOT / "docs/troubleshooting.md").read_text()
    sources = [ROOT / "requirements/install", ROOT / "requirements/uv"]
    for part in ("bundle", "cli", "export", "serve", "tracking", "train"):
        sources += (ROOT / part).glob("**/*.py")
    code = " ".join(path.read_text() for path in sources)
    code = re.sub(r'"\s+f?"', "", code)
    symptoms = [line.split("|")[1] for line in page.splitlines() if line.startswith("| ")]
    messages = [text for cell in symptoms for text in re.findall(r"`(.+)`", cell) if " " in text]
    assert len(messages) > 15
    parts = [part.strip() for message in messages for part in message.split("…")]
    assert [part for part in parts if len(part) > 5 and part not in code] == []


@pytest.mark.parametrize("page", EXPLAINED, ids=name)
def test_a_long_page_has_contents(page: Path) -> None:
    text = page.read_text()
    assert contents.has(page) or len(contents.sections(text)) < 3


@pytest.mark.parametrize("page", FRENCH, ids=name)
def test_a_translated_page_shows_the_same_commands(page: Path) -> None:
    assert blocks.read(page)
    original = ROOT / "docs/learn" / page.name
    assert [one.text for one in blocks.read(page)] == [one.text for one in blocks.read(original)]


def test_the_french_readme_shows_commands_of_the_english_one() -> None:
    english = [block.text for block in blocks.read(ROOT / "README.md")]
    french = [block.text for block in blocks.read(ROOT / "README.fr.md")]
    assert french
    assert [text for text in french if text not in english] == []
