"""Make the picture of the page: ``python -m tests.pages.screenshot docs/page.png``.

It shows the model that is in ``models`` (``make model``), or in another repository
(``--models FOLDER``), after the same strokes each time. Times and probabilities are those of the
moment. Two installed fonts make it look as it should: Inter and Liberation Mono (Debian:
fonts-inter and fonts-liberation).
"""

import argparse
import io
import math
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import launched
from tests.pages.strokes import Points, draw
from tests.servers.live import Server

WIDTH, HEIGHT = 1280, 820
MARGIN = 16
COLOURS = 128


def arc(x: float, y: float, radius: float, start: float, end: float) -> Points:
    """A part of a circle; angles in degrees, clockwise from the right."""
    angles = [math.radians(start + (end - start) * step / 24) for step in range(25)]
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


THREE = [*arc(0.47, 0.33, 0.17, 200, 440), *arc(0.47, 0.66, 0.2, -75, 160)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--models", type=Path, default=Path("models"))
    wanted = parser.parse_args()
    with Server("--models", str(wanted.models)) as server, launched() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(f"http://127.0.0.1:{server.port}/")
        write(take(page), wanted.picture)


def take(page: Page) -> Image.Image:
    """The page down to the answer, once a three is drawn."""
    expect(page.locator("#samples button").first).to_be_visible()
    draw(page, THREE)
    expect(page.locator("#spoken")).not_to_be_empty()
    page.wait_for_timeout(300)  # until the bars have come to rest
    answer = page.locator("#answer").bounding_box()
    assert answer
    height = answer["y"] + answer["height"] + MARGIN
    clip = {"x": 0.0, "y": 0.0, "width": float(WIDTH), "height": height}
    return Image.open(io.BytesIO(page.screenshot(clip=clip, full_page=True)))


def write(picture: Image.Image, path: Path) -> None:
    """With few colours: half the size, and nothing to be seen of it."""
    picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
