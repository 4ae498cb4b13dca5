"""The page says when the server is down, overloaded, or refuses a request."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.pages.conftest import show
from tests.pages.strokes import draw
from tests.servers.live import Server


@pytest.fixture
def quiet(browser: Browser) -> Iterator[Page]:
    """A page whose failed requests the browser may log."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_a_server_that_stops_and_comes_back(page_repository: Path, quiet: Page) -> None:
    page = quiet
    state = page.locator("#state")
    with Server("--models", str(page_repository), "--workers", "1") as server:
        port = str(server.port)
        show(page, server, "mnist")
        draw(page)
        expect(page.locator(".top")).to_have_text("7")
        expect(state).to_have_text("Ready")
    expect(state).to_have_text("Not reachable")
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer.")
    page.locator("#samples button").nth(1).click()
    again = Server("--models", str(page_repository), "--workers", "1")
    again.command[-1] = port
    with again:
        expect(state).to_have_text("Ready")
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(page.locator(".top")).to_have_text("2")  # what was asked meanwhile


def test_an_overloaded_server_is_asked_again(server: Server, quiet: Page) -> None:
    page = quiet
    answers = [429]

    def refuse_once(route: Route) -> None:
        if answers:
            headers = {"Retry-After": "1", "Content-Type": "application/json"}
            body = '{"error": "too many requests wait"}'
            route.fulfill(status=answers.pop(), headers=headers, body=body)
        else:
            route.continue_()

    page.route("**/predict?*", refuse_once)
    show(page, server, "mnist")
    page.locator("#samples button").first.click()
    expect(page.locator("#state")).to_have_text("Overloaded")
    expect(page.get_by_role("alert")).to_contain_text("too many requests wait")
    expect(page.locator(".top")).to_have_text("7")
    expect(page.locator("#state")).to_have_text("Ready")


def test_a_refused_request_says_why(server: Server, quiet: Page) -> None:
    page = quiet
    show(page, server, "open")
    page.get_by_label("Request of the Open Inference Protocol").fill("{")
    page.click("text=Send")
    expect(page.locator("#state")).to_have_text("Refused")
    expect(page.get_by_role("alert")).to_contain_text("The server refused the request (400)")


def test_asks_for_an_api_key(page_repository: Path, tmp_path: Path, quiet: Page) -> None:
    page = quiet
    keys = tmp_path / "keys"
    keys.write_text(f"{hashlib.sha256(b'secret').hexdigest()} somebody\n")
    with Server("--models", str(page_repository), "--api-keys", str(keys)) as server:
        show(page, server, "mnist")
        page.locator("#samples button").first.click()
        page.get_by_label("API key").fill("secret")
        page.click("text=Use this key")
        expect(page.locator(".top")).to_have_text("7")
        code = page.locator("#code")
        expect(code).to_contain_text("Authorization: Bearer $API_KEY")
        expect(code).not_to_contain_text("secret")


def test_a_new_version_appears(page_repository: Path, tmp_path: Path, quiet: Page) -> None:
    """Without a reload of the page."""
    page = quiet
    models = tmp_path / "models"
    shutil.copytree(page_repository / "two", models / "two")
    with Server("--models", str(models), "--poll-interval", "0.2") as server:
        show(page, server, "two")
        expect(page.locator("#version option")).to_have_text(["newest (1)", "1"])
        shutil.copytree(models / "two/1", models / "two/.2")
        (models / "two/.2").rename(models / "two/2")
        expect(page.locator("#version option")).to_have_text(["newest (2)", "2", "1"])
        page.select_option("#version", "1")
        page.click("text=Send")
        expect(page.locator("#timing")).to_contain_text("version 1")
        expect(page.locator("#figures tbody th")).to_have_text(["1", "2"])
