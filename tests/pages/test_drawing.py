"""Draw a digit, and see what the model makes of it."""

import json
import re
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from tests.conftest import Digits
from tests.pages.conftest import Visit
from tests.pages.pictures import as_trained, give
from tests.pages.strokes import SEVEN, draw, image_of, last_body, moved, places
from tests.servers.live import Server

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def answered(page: Page, label: str) -> None:
    expect(page.locator(".top")).to_have_text(label)


def test_a_drawn_seven_is_a_seven(visit: Visit) -> None:
    page = visit()
    first, second, *others = places(page, SEVEN)
    page.mouse.move(*first)
    page.mouse.down()
    page.mouse.move(*second)
    expect(page.locator(".bars li")).to_have_count(10)  # while the pen is still down
    for place in others:
        page.mouse.move(*place, steps=6)
    page.mouse.up()
    answered(page, "7")
    winner = page.locator(".bars .winner")
    expect(winner.locator(".name")).to_have_text("7")
    expect(page.locator("#spoken")).to_have_text(re.compile(r"^7, \d+\.\d %$"))
    timing = r"^[\d.]+ ms round trip · [\d.]+ ms server · version 1$"
    expect(page.locator("#timing")).to_have_text(re.compile(timing))
    page.click("#clear")
    expect(page.locator(".bars")).to_have_count(0)


def test_a_drawing_is_sent_in_the_form_of_the_training_data(visit: Visit) -> None:
    page = visit()
    sent = []
    for points in (SEVEN, moved(SEVEN, 0.3, 0.05, 0.6)):
        page.click("#clear")
        draw(page, points)
        expect(page.locator("#spoken")).to_contain_text("7")  # the whole drawing is answered
        sent.append(np.array(json.loads(last_body(page))["image"]))
    large, small = sent
    assert large.shape == (28, 28)
    assert large.max() == 255
    assert ((large > 0) & (large < 255)).sum() > 20  # anti-aliased
    rows, columns = np.nonzero(large)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    mass = large.sum()
    middle = [(large.sum(axis) * (np.arange(28) + 0.5)).sum() / mass for axis in (1, 0)]
    assert np.allclose(middle, 14, atol=0.6)
    assert np.abs(large - small).mean() < 8  # of 255: size and place do not matter


def test_ten_test_digits_are_all_right(visit: Visit, server: Server, digits: Digits) -> None:
    """The first ten that the small model of the tests knows."""
    request = json.dumps({"images": digits.images[:50].tolist()})
    answer = server.request("POST", "/predict?model=mnist", request).json()
    right = np.flatnonzero(answer["predictions"] == digits.labels[:50])[:10]
    assert len(right) == 10
    page = visit()
    give(page, "drop", *(as_trained(digits.images[i], f"{i}.png") for i in right))
    expect(page.locator(".grid strong")).to_have_text([str(digits.labels[i]) for i in right])
    for i in right:
        give(page, "drop", as_trained(digits.images[i], f"{i}.png"))
        answered(page, str(digits.labels[i]))


def test_offers_the_golden_inputs(visit: Visit, page_repository: Path) -> None:
    with np.load(page_repository / "mnist/1/golden.npz") as golden:
        images, scores = golden["inputs/image"], golden["outputs/probabilities"]
    page = visit()
    samples = page.locator("#samples button")
    expect(samples).to_have_count(10)
    for sample, image, row in zip(samples.all(), images, scores, strict=True):
        with page.expect_request("**/predict?*") as sent:
            sample.click()
        assert np.array_equal(image_of(sent.value).ravel(), image)
        expect(page.locator(".sure")).to_have_text(f"{row.max() * 100:.1f} %")
        answered(page, str(row.argmax()))


def test_works_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit()

    def tab_to(selector: str) -> None:
        for _ in range(40):
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {selector}")

    def press(key: str, times: int = 1) -> None:
        for _ in range(times):
            page.keyboard.press(key)

    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    press("Enter")
    tab_to("#pad")
    expect(page.locator("#pad-help")).to_be_visible()
    press("ArrowLeft", 6)
    press(" ")
    press("ArrowRight", 12)
    for _ in range(6):
        press("ArrowDown", 3)
        press("ArrowLeft")
    press(" ")
    answered(page, "7")
    tab_to("#samples button:nth-child(2)")
    press("Enter")
    answered(page, "2")
    tab_to("summary")
    press("Enter")
    tab_to("input[name=language]")
    press("ArrowRight")
    expect(page.locator("#code")).to_contain_text("urlopen")
    tab_to("#copy")
    press("Enter")
    expect(page.locator("#copy")).to_have_text("Copied")


def test_works_on_a_phone(visit: Visit) -> None:
    page = visit(**PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    client = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        client.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]},
        )

    first, *others = places(page, SEVEN)
    touch("touchStart", first)
    for place in others:
        touch("touchMove", place)
    touch("touchEnd")
    answered(page, "7")
    assert page.evaluate("scrollY") == 0  # drawing does not scroll
    page.click("summary")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_another_version_is_asked_about_the_same_drawing(visit: Visit) -> None:
    page = visit()
    draw(page)
    expect(page.locator("#spoken")).to_contain_text("7")
    with page.expect_request("**/predict?*version=1") as sent:
        page.select_option("#version", "1")
    assert image_of(sent.value).max() == 255
    page.locator("#samples button").nth(1).click()  # takes the place of the drawing
    answered(page, "2")
    page.click("#clear")
    expect(page.locator("#pad-hint")).to_be_visible()
