"""The agreement of a shadow, as the promotion gate sees it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from export.errors import ExportError
from export.registry import shadow_agreement

METRICS = """\
# TYPE onnxlet_shadow_rows_total counter
onnxlet_shadow_rows_total{model="m",result="same",shadow="4",version="3"} 1980.0
onnxlet_shadow_rows_total{model="m",result="different",shadow="4",version="3"} 15.0
onnxlet_shadow_rows_total{model="m",result="failed",shadow="4",version="3"} 5.0
onnxlet_shadow_rows_total{model="m",result="dropped",shadow="4",version="3"} 1.0e+06
onnxlet_shadow_rows_total{model="m",result="same",shadow="4",version="2"} 2000.0
onnxlet_shadow_rows_total{model="m",result="same",shadow="5",version="3"} 999.0
onnxlet_shadow_rows_total{model="n",result="different",shadow="4",version="3"} 7000.0
"""


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/metrics" else 404)
        self.end_headers()
        self.wfile.write(METRICS.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Metrics) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_enough_rows_that_agree_pass(server: str) -> None:
    assert shadow_agreement.failure(f"{server}/metrics", "m", 4, 3, 99) is None
    assert shadow_agreement.failure(f"{server}/metrics", "m", 4, None, 99.4) is None


@pytest.mark.parametrize(
    ("version", "champion", "percent", "message"),
    [
        (4, 3, 99.1, "agreement: 99.00 % of 2000 rows are as version 3 says; the minimum is 99.1"),
        (5, 3, 50, "agreement: 999 rows of version 5 were compared with version 3; 1000 are"),
        (6, None, 50, "agreement: 0 rows of version 6 were compared with the others"),
    ],
)
def test_says_what_is_not_enough(
    server: str, version: int, champion: int | None, percent: float, message: str
) -> None:
    said = shadow_agreement.failure(f"{server}/metrics", "m", version, champion, percent)
    assert message in (said or "")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://127.0.0.1:1/metrics"])
def test_metrics_that_cannot_be_read_are_an_error(url: str) -> None:
    with pytest.raises(ExportError, match=url):
        shadow_agreement.failure(url, "m", 4, 3, 99)


def test_a_page_that_does_not_exist_is_an_error(server: str) -> None:
    with pytest.raises(ExportError, match="404"):
        shadow_agreement.failure(f"{server}/nowhere", "m", 4, 3, 99)
