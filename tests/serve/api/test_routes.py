"""A real server in a process of its own, over real HTTP."""

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Digits
from tests.serve.example_requests import REFUSALS
from tests.servers.live import Server
from tests.servers.raw_client import exchange


def test_health(server: Server) -> None:
    for path in ("/v2/health/live", "/v2/health/ready"):
        assert server.request("GET", path).status == 200


def test_one_digit_flat_and_square(server: Server, digits: Digits) -> None:
    flat = server.predict({"image": digits.images[0].tolist()})
    square = server.predict({"image": digits.images[0].reshape(28, 28).tolist()})
    assert flat.status == 200
    assert flat.headers["Content-Type"] == "application/json"
    assert flat.headers["Server"] is None
    assert flat.body == square.body
    assert flat.json()["prediction"] == 7
    (probabilities,) = flat.json()["probabilities"]
    assert sum(probabilities) == pytest.approx(1, abs=1e-5)
    assert int(np.argmax(probabilities)) == 7


def test_a_thousand_digits(server: Server, digits: Digits) -> None:
    answer = server.predict({"images": digits.images.tolist()}).json()
    assert (answer["model"], answer["version"]) == ("mnist", 1)
    assert np.shape(answer["probabilities"]) == (1000, 10)
    accuracy = np.mean(np.array(answer["predictions"]) == digits.labels)
    assert accuracy > 0.85  # 64 units, 5 epochs of 5,400 digits


def test_answers_as_the_model_does(server: Server, digits: Digits, repository: Path) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(repository / "mnist/1/model.onnx")
    rows = digits.images[:50].astype(np.float32)
    (expected,) = session.run(None, {"image": rows})
    answer = server.predict({"images": rows.tolist()}).json()
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)


def test_many_clients_at_once_get_their_own_answers(server: Server, digits: Digits) -> None:
    alone = [server.predict({"image": image.tolist()}).body for image in digits.images[:40]]
    with ThreadPoolExecutor(8) as pool:
        together = pool.map(
            lambda image: server.predict({"image": image.tolist()}).body, digits.images[:40]
        )
    assert list(together) == alone


@pytest.mark.parametrize("case", REFUSALS)
def test_refuses_in_one_form_and_goes_on(server: Server, digits: Digits, case: str) -> None:
    method, path, body, status, message = REFUSALS[case]
    answer = server.request(method, path, body)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json().keys() == {"error"}
    assert message in answer.json()["error"]
    assert server.predict({"image": digits.images[0].tolist()}).json()["prediction"] == 7


def test_a_wrong_method_says_which_is_right(server: Server) -> None:
    allowed = server.request("DELETE", "/predict").headers["Allow"]
    assert set(allowed.split(", ")) == {"POST", "OPTIONS"}


def test_takes_a_body_of_exactly_the_limit(server: Server) -> None:
    document = b'{"image": []}'.ljust(16777216)
    assert "784 numbers" in server.request("POST", "/predict", document).json()["error"]


def test_refuses_a_large_body_before_it_comes(server: Server) -> None:
    head, body = exchange(
        server, b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 16777217\r\n\r\n"
    )
    assert head.startswith(b"HTTP/1.1 413 ")
    assert json.loads(body) == {"error": "expected a body of at most 16777216 bytes"}


def test_refuses_a_large_body_that_comes_in_chunks(server: Server) -> None:
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    request = b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    head, _ = exchange(server, request + chunk * 17)
    assert head.startswith(b"HTTP/1.1 413 ")


def test_a_large_body_sent_whole_still_gets_its_answer(server: Server) -> None:
    answer = server.request("POST", "/predict", b" " * 40_000_000)
    assert answer.status == 413
    assert server.request("GET", "/v2/health/ready").status == 200


def test_refuses_what_is_no_http(server: Server) -> None:
    head, body = exchange(server, b"POST /predict HTTP/1.1\r\nContent-Length: many\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body).keys() == {"error"}


def test_limits_can_be_set(repository: Path, digits: Digits) -> None:
    arguments = ("--models", str(repository), "--max-rows", "2")
    with Server(*arguments, SERVE_MAX_BODY_BYTES="9000") as server:
        assert server.predict({"images": digits.images[:2].tolist()}).status == 200
        assert server.predict({"images": digits.images[:3].tolist()}).status == 413
        assert server.request("POST", "/predict", b" " * 9001).status == 413


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ends_cleanly(repository: Path, how: signal.Signals) -> None:
    with Server("--models", str(repository)) as server:
        assert server.request("GET", "/v2/health/live").status == 200
        assert server.end(how) == (0, "ended\n", "")
