"""Models that are not image classifiers get a form, or a JSON editor."""

import json

from playwright.sync_api import expect

from tests.pages.conftest import Visit
from tests.pages.strokes import last_body
from tests.servers.live import Server


def test_a_table_gets_a_field_for_each_feature(visit: Visit, server: Server) -> None:
    page = visit(model="iris")
    example = server.request("GET", "/v2/models/iris/example").json()["inputs"][0]
    fields = page.locator("#form input")
    expect(fields).to_have_count(4)
    values = [float(field.input_value()) for field in fields.all()]
    assert values == example["data"][:4]
    page.click("text=Next example")
    assert [float(field.input_value()) for field in fields.all()] == example["data"][4:8]
    for field, value in zip(fields.all(), (5.1, 3.5, 1.4, 0.2), strict=True):
        field.fill(str(value))
    page.click("text=Send")
    expect(page.locator(".top")).to_have_text("setosa")
    expect(page.locator(".bars .name")).to_have_text(["setosa", "versicolor", "virginica"])
    assert json.loads(last_body(page))["inputs"][0]["data"] == [5.1, 3.5, 1.4, 0.2]


def test_a_field_that_is_empty_is_not_sent(visit: Visit) -> None:
    page = visit(model="iris")
    page.locator("#form input").nth(2).fill("")
    page.click("text=Send")
    assert page.locator("#form input:invalid").count() == 1
    expect(page.locator("#code")).to_be_empty()


def test_flags_are_check_boxes(visit: Visit) -> None:
    page = visit(model="flags")
    page.locator("#form input").nth(1).check()
    page.click("text=Send")
    expect(page.locator(".values")).to_have_text("true, false")


def test_an_open_shape_gets_a_json_editor(visit: Visit) -> None:
    page = visit(model="open")
    editor = page.get_by_label("Request of the Open Inference Protocol")
    document = json.loads(editor.input_value())
    document["inputs"][0] |= {"shape": [1, 2, 2], "data": [1, 2, 3, 4]}
    editor.fill(json.dumps(document))
    page.click("text=Send")
    expect(page.locator(".values")).to_have_text("2, 3")


def test_an_image_model_takes_json_too(visit: Visit) -> None:
    page = visit()
    page.get_by_role("radio", name="JSON").check(force=True)
    page.click("text=Send")
    expect(page.locator(".top")).to_have_text("7")  # the first golden input
    page.get_by_role("radio", name="Draw").check(force=True)
    expect(page.locator("#pad")).to_be_visible()


def test_the_card_says_what_the_manifest_says(visit: Visit, server: Server) -> None:
    page = visit()
    metadata = server.request("GET", "/v2/models/mnist").json()
    known = metadata["provenance"]
    card = page.locator("#card")
    expect(card).to_contain_text(f"{known['metrics']['test_accuracy'] * 100:.1f} % test")
    expect(card).to_contain_text(known["run_id"])
    expect(card).to_contain_text(f"{metadata['size_bytes'] / 1000:.0f} kB")
    expect(card).to_contain_text("the same class as Keras in 100.0 %")
    expect(card).to_contain_text(f"{known['dataset']['name']} {known['dataset']['sha256'][:12]}")
    page.select_option("#model", "two")
    expect(card).to_contain_text("This version has no manifest")


def test_live_figures_count_requests(visit: Visit, server: Server) -> None:
    page = visit(model="two")
    row = page.locator("#figures tbody tr")
    expect(row.locator("th")).to_have_text("1")
    for _ in range(3):
        page.click("text=Send")
        expect(page.locator(".values").first).to_be_visible()
    expect(row.locator("td").nth(3)).to_have_text("1.0")  # a row in each run
    assert row.locator("td").nth(1).inner_text().endswith(" ms")
