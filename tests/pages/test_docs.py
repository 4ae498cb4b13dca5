"""The API page shows every operation, and sends requests."""

from playwright.sync_api import expect

from serve.api.routes import ROUTES
from tests.pages.conftest import Visit


def test_shows_every_route(visit: Visit) -> None:
    page = visit("/docs")
    operations = page.locator(".operation > summary")
    expect(operations).to_have_count(len(ROUTES))
    shown = {tuple(one.inner_text().split("\n")[:2]) for one in operations.all()}
    assert shown == {(route.method, route.path) for route in ROUTES}
    page.fill("#filter", "/invocations")
    expect(page.locator(".operation:visible")).to_have_count(1)


def test_tries_an_operation(visit: Visit) -> None:
    page = visit("/docs")
    for path, answer in (
        ("/v2/models/{name}/infer", '"outputs":'),
        ("/v1/models/{name}:predict", '"predictions":'),
        ("/v2/models/{name}/versions/{version}", '"platform":'),
        ("/metrics", "onnxlet_requests_total"),
    ):
        operation = page.locator(".operation").filter(has=page.get_by_text(path, exact=True))
        operation.locator("summary").first.click()
        operation.get_by_text("Try it").click()
        expect(operation.locator("h3", has_text="Status 200")).to_be_visible()
        expect(operation.locator(".answer")).to_contain_text(answer)
