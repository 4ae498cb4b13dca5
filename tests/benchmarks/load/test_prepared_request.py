"""What is sent, on a real server: every dialect and size is answered with the digits' labels."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.load import golden_rows as sent_digits
from benchmarks.load.golden_rows import Digits
from benchmarks.load.prepared_request import MIX, SIZES, Stock
from benchmarks.load.protocols import DIALECTS, Model
from tests.conftest import Digits as ServedDigits
from tests.servers.live import Server


@pytest.fixture
def host(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def known(host: str, work: Path) -> Digits:
    return sent_digits.known(host, Model(), sent_digits.read(work / "subset.npz"))


@pytest.mark.parametrize(("dialect", "rows"), [*itertools.product(DIALECTS, SIZES)])
def test_each_dialect_and_size(server: Server, known: Digits, dialect: str, rows: int) -> None:
    for letter in Stock(known, Model()).letters(dialect, rows)[:2]:
        request = letter.request
        answer = server.request("POST", request.path, request.body, dict(request.headers))
        assert answer.status == 200
        assert letter.fault(answer.body) is None
        assert len(letter.expected) == rows


def test_wrong_answers_are_seen(server: Server, known: Digits) -> None:
    one, other = Stock(known, Model()).letters("predict", 8)[:2]
    answer = server.request("POST", other.request.path, other.request.body)
    differing = sum(a != b for a, b in zip(one.expected, other.expected, strict=True))
    assert one.fault(answer.body) == f"{differing} of 8 rows are wrong"
    assert other.fault(b"no JSON") == "no answer of this dialect: b'no JSON'"
    assert other.fault(b'{"predictions": 5}') == (
        "no answer of this dialect: b'{\"predictions\": 5}'"
    )
    assert other.fault(None) == "no answer of this dialect: b''"
    short = json.dumps({"predictions": other.expected[:5]}).encode()
    assert other.fault(short) == "5 rows came"


def test_only_digits_that_the_model_knows_are_sent(known: Digits, digits: ServedDigits) -> None:
    assert 500 < len(known.labels) < 1000
    places = {image.tobytes(): place for place, image in enumerate(digits.images)}
    chosen = [places[image.tobytes()] for image in known.images]
    assert known.labels.tolist() == digits.labels[chosen].tolist()


def test_a_model_of_other_data_is_refused(host: str, work: Path) -> None:
    read = sent_digits.read(work / "subset.npz")
    turned = Digits(read.images, (read.labels + 1) % 10)
    with pytest.raises(BenchmarkError, match=r"right on \d+ of 1000 test digits: it was trained"):
        sent_digits.known(host, Model(), turned)


def test_a_model_that_is_not_served(host: str) -> None:
    with pytest.raises(BenchmarkError, match=r"/v2/models/other answers 404: .*other"):
        sent_digits.served(host, "other")
    with pytest.raises(BenchmarkError, match="Connection refused"):
        sent_digits.served("http://127.0.0.1:9", "mnist")


def test_a_name_that_predict_does_not_answer_for(host: str, work: Path) -> None:
    read = sent_digits.read(work / "subset.npz")
    with pytest.raises(BenchmarkError, match="/predict answers with mnist, not with other"):
        sent_digits.known(host, Model("other"), read)


def test_what_is_served_is_named_with_where_it_came_from(host: str) -> None:
    model, metadata = sent_digits.served(host, "mnist")
    assert model == Model("mnist", "image", "FP32")
    assert len(metadata["provenance"]["run_id"]) == 32


def test_the_mix_has_its_weights_in_an_order_of_each_users_own() -> None:
    known = Digits(np.zeros((9, 784), np.uint8), np.zeros(9, np.int64))

    def orders(first: int) -> list[list[int]]:
        stock = Stock(known, Model(), first)
        users = [stock.endless("oip-bytes", None) for _ in range(2)]
        return [[letter.rows for letter in itertools.islice(user, 10_000)] for user in users]

    one, other = orders(0)
    assert one != other
    assert orders(0) == [one, other]
    assert orders(1)[0] == other
    for rows in (one, other):
        assert {size: rows.count(size) / 100 for size in MIX} == MIX
