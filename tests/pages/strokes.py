"""Draws on the page's canvas, and says what was sent of it."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, Request

Points = Sequence[tuple[float, float]]
SEVEN: Points = ((0.25, 0.2), (0.75, 0.2), (0.68, 0.4), (0.55, 0.65), (0.45, 0.85))


def places(page: Page, points: Points) -> list[tuple[float, float]]:
    """Points of the canvas, which is 1 wide and high, as points of the window."""
    box = page.locator("#pad").bounding_box()
    assert box
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]


def draw(page: Page, points: Points = SEVEN) -> None:
    """Draw a stroke with the mouse."""
    first, *others = places(page, points)
    page.mouse.move(*first)
    page.mouse.down()
    for place in others:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def moved(points: Points, size: float, left: float, top: float) -> Points:
    return [(left + x * size, top + y * size) for x, y in points]


def image_of(request: Request) -> NDArray[Any]:
    """The image in a request to /predict."""
    return np.array(json.loads(request.post_data or "")["image"])


def last_body(page: Page) -> str:
    """The JSON of the last request, out of the code for curl that the page shows."""
    code = page.locator("#code").text_content() or ""
    return code[code.index("{") : code.rindex("}") + 1]
