"""The form of a table has a field for each feature, by its name."""

import json

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.models.people import LABELS, probabilities
from tests.pages.conftest import Visit
from tests.pages.strokes import last_body


def values(page: Page) -> list[str]:
    return [field.input_value() for field in page.locator("#form .fields :is(input, select)").all()]


def test_examples_are_in_words(visit: Visit) -> None:
    page = visit(model="people")
    assert values(page) == ["39", "admin", "true"]
    page.click("text=Next example")
    assert values(page) == ["20", "nurse", "false"]
    page.click("text=Next example")
    assert values(page) == ["65", "other, [none]", ""]
    expect(page.get_by_label("job").locator("option")).to_have_text(
        ["admin", "nurse", "other, [none]"]
    )
    expect(page.get_by_label("paid").locator("option")).to_have_text(["–", "false", "true"])
    age = page.get_by_label("age", exact=True)
    assert [age.get_attribute(name) for name in ("min", "max", "placeholder")] == [
        "0",
        "120",
        "17 to 90",
    ]


@pytest.mark.parametrize("paid", [True, None])
def test_a_row_is_sent_by_names(visit: Visit, paid: bool | None) -> None:
    page = visit(model="people")
    page.get_by_label("job").select_option("other, [none]")
    page.get_by_label("paid").select_option("true" if paid else "")
    page.get_by_label("age", exact=True).fill("20.5")
    page.get_by_label("age", exact=True).press("Enter")
    row = np.array([[20.5, 2, 1 if paid else np.nan]], np.float32)
    label = LABELS[int(probabilities(row).argmax())]
    expect(page.locator(".top")).to_have_text(label)
    expect(page.locator(".bars .name")).to_have_text([*LABELS])
    sent = {"rows": [{"age": 20.5, "job": "other, [none]", "paid": paid}]}
    assert json.loads(last_body(page)) == sent
    expect(page.locator("#code")).to_contain_text("/predict?model=people")


@pytest.mark.parametrize("age", ["121", "-1", ""])
def test_what_is_not_accepted_is_not_sent(visit: Visit, age: str) -> None:
    page = visit(model="people")
    page.get_by_label("age", exact=True).fill(age)
    page.click("text=Send")
    assert page.locator("#form input:invalid").count() == 1
    expect(page.locator("#code")).to_be_empty()


def test_a_regression_answers_a_value(visit: Visit) -> None:
    page = visit(model="prices")
    assert values(page) == ["80", "3", "2", "Bonn"]
    page.get_by_label("area", exact=True).fill("1230.5")
    page.get_by_label("rooms", exact=True).fill("")
    page.get_by_label("city").fill("Rome")
    page.click("text=Send")
    expect(page.locator(".top")).to_have_text("1,231.75")  # 1230.5 + 0.25 + 2 - 1
    expect(page.locator(".bars")).to_have_count(0)
    assert json.loads(last_body(page)) == {
        "rows": [{"area": 1230.5, "rooms": None, "floor": 2, "city": "Rome"}]
    }
