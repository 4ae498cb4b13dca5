"""A headless Chromium."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from tests.suite.programs import CHROMIUM


@contextmanager
def launched() -> Iterator[Browser]:
    """The browser of this machine."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM.path(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened() -> Iterator[Page]:
    """An empty page in it."""
    with launched() as browser:
        yield browser.new_page(viewport={"width": 1600, "height": 1000})
