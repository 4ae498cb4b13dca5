"""axe-core finds nothing serious on either page, in light and dark, wide and narrow."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.pages import axe
from tests.pages.conftest import Visit
from tests.pages.strokes import draw


@pytest.fixture(scope="module")
def script() -> str:
    return axe.script()


def serious(page: Page, script: str) -> list[tuple[str, list[str]]]:
    page.evaluate(script)
    found: dict[str, Any] = page.evaluate("axe.run()")
    assert found["passes"]
    return [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious(visit: Visit, script: str, scheme: str, width: int) -> None:
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    page = visit(**options)
    draw(page)
    expect(page.locator(".top")).to_have_text("7")
    page.click("summary")
    assert serious(page, script) == []
    page.select_option("#model", "iris")
    page.click("text=Send")
    expect(page.locator(".top")).to_be_visible()
    assert serious(page, script) == []
    page.select_option("#model", "people")
    expect(page.get_by_label("job")).to_be_visible()
    assert serious(page, script) == []
    page = visit("/docs", **options)
    page.locator(".operation").first.click()
    assert serious(page, script) == []
