"""Image files that are dropped, pasted or opened."""

import json
from typing import Any

from playwright.sync_api import Page, expect

from tests.conftest import Digits
from tests.pages.conftest import Visit
from tests.pages.pictures import File, as_trained, give, on_paper
from tests.pages.strokes import last_body
from tests.servers.live import Server

FIRST = 7, 2, 1, 0  # the first digits of MNIST's test set


def shown(page: Page, count: int) -> list[list[str]]:
    """What the grid says of each file: class, probability and name."""
    cells = page.locator(".grid li")
    expect(cells).to_have_count(count)
    return [cell.inner_text().split() for cell in cells.all()]


def test_three_dropped_files_become_one_batch(visit: Visit, digits: Digits, server: Server) -> None:
    page = visit()
    files = [as_trained(digits.images[i], f"{i}.png") for i in range(3)]
    with page.expect_response("**/predict?*") as answer:
        give(page, "drop", *files)
    cells = shown(page, 3)
    assert [cell[0] for cell in cells] == ["7", "2", "1"]
    assert [cell[-1] for cell in cells] == ["0.png", "1.png", "2.png"]
    as_sent: Any = {"images": digits.images[:3].tolist()}  # files in that form stay as they are
    assert (
        answer.value.json()
        == server.request("POST", "/predict?model=mnist", json.dumps(as_sent)).json()
    )


def test_a_pasted_photo_is_brought_into_form(visit: Visit, digits: Digits) -> None:
    page = visit()
    for i, label in enumerate(FIRST):
        give(page, "paste", on_paper(digits.images[i], "photo.jpg"))
        expect(page.locator(".top")).to_have_text(str(label))


def test_an_opened_file_is_answered(visit: Visit, digits: Digits) -> None:
    page = visit()
    file = as_trained(digits.images[1], "two.png")
    with page.expect_file_chooser() as chooser:
        page.click("text=Open images")
    chooser.value.set_files({"name": file.name, "mimeType": file.media, "buffer": file.data})
    expect(page.locator(".top")).to_have_text("2")
    assert json.loads(last_body(page))["image"] == digits.images[1].reshape(28, 28).tolist()


def test_says_which_file_is_no_image(visit: Visit, digits: Digits) -> None:
    page = visit()
    good = as_trained(digits.images[0], "good.png")
    give(page, "drop", good, File("notes.png", "image/png", b"no picture"))
    expect(page.get_by_role("alert")).to_contain_text("notes.png is not an image")
    give(page, "drop", *[good] * 33)
    expect(page.get_by_role("alert")).to_contain_text("Expected at most 32 files, got 33.")
    give(page, "drop", good)
    expect(page.locator(".top")).to_have_text("7")
    expect(page.locator("#notice")).to_be_hidden()
