"""Labels share the requests that name no version."""

import json
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from serve.models.traffic import Traffic
from serve.versions.serving_plan import PlannedModel
from tests.models.plus import Plus
from tests.servers.live import Response, Server
from tests.servers.processes import eventually
from tests.servers.scrape import scrape

SHARES = {"champion": {"version": 1, "weight": 90}, "challenger": {"version": 2, "weight": 10}}


def traffic(*ready: int, name: str = "m", **weights: int) -> Traffic:
    models: Any = {number: SimpleNamespace(version=number) for number in ready}
    planned = PlannedModel(labels={"a": 1, "b": 2, "c": 3}, weights=weights)
    return Traffic(name, models, planned)


def chosen(among: Traffic, count: int = 10_000, **headers: str) -> Counter[int]:
    """How often each version is chosen for so many sessions."""
    seen: Counter[int] = Counter()
    for number in range(count):
        model: Any = among.choose({"X_SESSION_ID": f"session {number}"} | headers)
        seen[model.version] += 1
    return seen


def test_each_label_gets_its_share_of_the_sessions() -> None:
    seen = chosen(traffic(1, 2, 3, a=70, b=20, c=10))
    assert abs(seen[1] - 7000) < 200
    assert abs(seen[2] - 2000) < 200
    assert abs(seen[3] - 1000) < 200


def test_the_challengers_of_two_models_get_different_sessions() -> None:
    one, other = (traffic(1, 2, name=name, a=50, b=50) for name in ("cats", "dogs"))
    same = 0
    for number in range(1000):
        headers = {"X_SESSION_ID": str(number)}
        first: Any = one.choose(headers)
        second: Any = other.choose(headers)
        same += first.version == second.version
    assert 400 < same < 600


def test_a_session_stays_with_its_version_while_the_share_grows() -> None:
    few, more = traffic(1, 2, a=5, b=95), traffic(1, 2, a=20, b=80)
    for number in range(1000):
        headers = {"X_SESSION_ID": str(number)}
        before: Any = few.choose(headers)
        after: Any = more.choose(headers)
        assert before.version == 2 or after.version == 1


def test_the_session_counts_and_then_the_id_of_the_request() -> None:
    among = traffic(1, 2, a=50, b=50)
    assert len(chosen(among, 100)) == 2
    assert len(chosen(among, 100, X_SESSION_ID="mine")) == 1
    by_id = [among.choose({"X_REQUEST_ID": str(number)}) for number in range(100)]
    assert by_id == [among.choose({"X_REQUEST_ID": str(number)}) for number in range(100)]
    assert len(set(map(id, by_id))) == 2
    assert len({id(among.choose({})) for _ in range(100)}) == 2  # at random


def test_a_version_that_is_not_loaded_gets_nothing() -> None:
    assert chosen(traffic(1, 3, a=50, b=30, c=20)).keys() == {1, 3}
    assert not traffic(3, a=50, b=50)
    assert not traffic(1, 2)


@pytest.fixture
def plus(swapped_repository: Path, tmp_path: Path) -> Plus:
    there = Plus(swapped_repository, tmp_path)
    for version in (1, 2, 3):
        there.publish(version)
    return there


def ask(server: Server, path: str = "/predict", **headers: str) -> Response:
    body = json.dumps({"images": [[0, 0]]})
    answer = server.request(
        "POST", path, body, {"X-Session-Id": str(time.monotonic_ns())} | headers
    )
    assert answer.status == 200
    assert answer.json()["probabilities"] == [[int(answer.headers["X-Model-Version"])] * 2]
    return answer


def versions(server: Server, count: int, **headers: str) -> Counter[str]:
    return Counter(ask(server, **headers).headers["X-Model-Version"] for _ in range(count))


def test_the_labels_file_moves_the_traffic_of_a_running_server(plus: Plus) -> None:
    plus.label(**SHARES)
    with Server("--models", str(plus.folder), "--poll-interval", "0.1") as server:
        seen = versions(server, 300)
        assert seen["1"] > 200
        assert seen["2"] > 5
        assert len(versions(server, 20, **{"X-Session-Id": "mine"})) == 1
        assert ask(server, "/predict?version=3").headers["X-Model-Version"] == "3"
        assert ask(server, "/predict?version=challenger").headers["X-Model-Version"] == "2"
        weights = {key: of for key, of in scrape(server).items() if key[0] == "traffic_weight"}
        assert sorted(weights.values()) == [10, 90]
        plus.label(champion=1, challenger=2)
        assert eventually(lambda: ask(server).headers["X-Model-Version"] == "3")
        assert server.process.stderr
        assert "requests without a version go to the newest version" in (
            server.process.stderr.readline()
        )


def test_a_damaged_labels_file_changes_nothing(plus: Plus) -> None:
    plus.label(**SHARES)
    with Server("--models", str(plus.folder), "--poll-interval", "0.1") as server:
        plus.label(champion={"version": 1, "weight": -1})
        assert server.process.stderr
        assert "expected a whole number" in server.process.stderr.readline()
        assert versions(server, 100).keys() <= {"1", "2"}
