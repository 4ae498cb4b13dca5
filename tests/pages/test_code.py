"""The code that the page shows gives the page's own answer, as pasted."""

import json
import subprocess
import sys
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Digits
from tests.pages.conftest import Visit
from tests.pages.pictures import as_trained, give

RUN = {
    "curl": ["sh", "-c"],
    "python": [sys.executable, "-c"],
    "javascript": ["node", "--input-type=module", "--eval"],
}
# Python and Node print what they parsed; this makes JSON of it.
AS_JSON = {
    "python": ("print(json.load(response))", "print(json.dumps(json.load(response)))"),
    "javascript": ("await response.json()", "JSON.stringify(await response.json())"),
}


def copied(page: Page, language: str) -> str:
    page.get_by_role("radio", name=language).check(force=True)
    page.click("#copy")
    expect(page.locator("#copy")).to_have_text("Copied")
    return str(page.evaluate("navigator.clipboard.readText()"))


def output(code: str, language: str) -> Any:
    shown, as_json = AS_JSON.get(language, ("", ""))
    assert shown in code
    command = [*RUN[language], code.replace(shown, as_json) if shown else code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(page: Page, answer: Any) -> None:
    page.click("summary")
    for language in RUN:
        assert output(copied(page, language), language) == answer, language


@pytest.fixture
def allowed() -> dict[str, Any]:
    return {"permissions": ["clipboard-read", "clipboard-write"]}


def test_of_images(visit: Visit, digits: Digits, allowed: dict[str, Any]) -> None:
    page = visit(**allowed)
    with page.expect_response("**/predict?*") as answer:
        give(page, "drop", *(as_trained(digits.images[i], f"{i}.png") for i in range(2)))
    expect(page.locator(".grid li")).to_have_count(2)
    check(page, answer.value.json())


def test_of_a_form(visit: Visit, allowed: dict[str, Any]) -> None:
    page = visit(model="two", **allowed)
    page.get_by_label("x [1]").fill("2.5")
    page.get_by_label("n", exact=True).fill("3")
    with page.expect_response("**/infer") as answer:
        page.click("text=Send")
    expect(page.locator(".values")).to_have_text(["3, 5.5, 3", "6"])
    check(page, answer.value.json())
