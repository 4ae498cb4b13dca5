"""A shadow version computes what another one has answered, in spare time."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bundle.manifest import TensorSpec
from serve.inference.shadow import MAX_BYTES, Shadow, agreement
from serve.models.spec import ModelSpec
from tests.models.plus import Plus
from tests.servers.live import Server
from tests.servers.processes import eventually
from tests.servers.scrape import scrape

Outputs = dict[str, Any]


def model(
    version: int, run: Callable[[Outputs], Outputs] = dict, labels: tuple[str, ...] = ()
) -> Any:
    """A model of three columns, whose session is ``run``."""
    tensors = [
        (TensorSpec(name=name, dtype="float32", shape=(-1, 3)),) for name in ("inputs", "outputs")
    ]
    return SimpleNamespace(spec=ModelSpec("m", version, *tensors, labels=labels), run=run)


def shadowed(shadow: Any) -> tuple[Shadow, list[tuple[int, int, str, int]]]:
    """Shadow traffic to a model, and the list of its results."""
    catalog: Any = SimpleNamespace(models={"m": SimpleNamespace(shadow=shadow)})
    traffic = Shadow(catalog)
    results = []
    traffic.on_result = lambda one, other, result, rows: results.append(
        (one.spec.version, other.spec.version, result, rows)
    )
    return traffic, results


def answers(*classes: int) -> Outputs:
    return {"outputs": np.eye(3, dtype="f4")[list(classes)]}


def inputs(rows: int) -> Outputs:
    return {"inputs": np.zeros((rows, 3), "f4")}


def test_rows_are_compared_by_their_class() -> None:
    traffic, results = shadowed(model(2, lambda _: answers(0, 1, 1)))
    traffic.offer(model(1), inputs(3), answers(0, 1, 2))
    assert traffic
    assert results == []
    traffic.run_next()
    assert results == [(1, 2, "same", 2), (1, 2, "different", 1)]
    assert not traffic
    traffic.run_next()  # nothing waits
    assert len(results) == 2


def test_values_agree_within_one_percent() -> None:
    one = {"outputs": np.array([[100.0], [100.0], [0.0], [np.nan]], "f4")}
    other = {"outputs": np.array([[100.9], [102.0], [0.0], [np.nan]], "f4")}
    assert agreement(one, other, model(1)) == 3
    labels = {"outputs": np.array([1, 2, 3])}
    assert agreement(labels, {"outputs": np.array([1, 2, 4])}, model(1)) == 2
    texts = {"outputs": np.array(["cat", "dog"], object)}
    assert agreement(texts, {"outputs": np.array(["cat", "cat"], object)}, model(1)) == 1


def test_only_another_version_with_the_same_tensors_and_labels_is_a_shadow() -> None:
    for other in (None, model(2, labels=("a", "b", "c"))):
        traffic, _ = shadowed(other)
        traffic.offer(model(1), inputs(1), answers(0))
        assert not traffic
    itself = model(2)
    traffic, _ = shadowed(itself)
    traffic.offer(itself, inputs(1), answers(0))
    assert not traffic


def test_what_does_not_fit_is_dropped_and_counted() -> None:
    traffic, results = shadowed(model(2, lambda _: answers(*[0] * rows)))
    rows = MAX_BYTES // 24 // 2
    for _ in range(3):
        traffic.offer(model(1), inputs(rows), answers(*[0] * rows))
    assert results == [(1, 2, "dropped", rows)]
    traffic.run_next()
    traffic.offer(model(1), inputs(rows), answers(*[0] * rows))
    assert [result for *_, result, _ in results] == ["dropped", "same", "different"]


def test_a_shadow_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Outputs) -> Outputs:
        raise RuntimeError("no such kernel")

    traffic, results = shadowed(model(2, fail))
    traffic.offer(model(1), inputs(2), answers(0, 1))
    traffic.run_next()
    assert results == [(1, 2, "failed", 2)]
    assert "no such kernel" in caplog.text


@pytest.mark.parametrize("threads", ["0", "1"])
def test_a_server_counts_the_agreement(
    swapped_repository: Path, tmp_path: Path, threads: str
) -> None:
    plus = Plus(swapped_repository, tmp_path)
    plus.publish(1)
    plus.publish(2)
    plus.label(champion={"version": 1, "weight": 1}, next={"version": 2, "shadow": True})
    arguments = ("--models", str(tmp_path), "--workers", "1", "--inference-threads", threads)
    with Server(*arguments) as server:
        for number in range(20):
            body = json.dumps({"images": [[number, 0]] * 3})
            answer = server.request("POST", "/predict", body)
            assert answer.json()["probabilities"] == [[number + 1, 1]] * 3

        def compared() -> float:
            wanted = ("shadow_rows_total", frozenset(labels.items()))
            return scrape(server).get(wanted, 0)

        labels = {"model": "plus", "version": "1", "shadow": "2", "result": "same"}
        assert eventually(lambda: compared() == 60)
        labels["result"] = "different"
        assert compared() == 0
        requests = [
            (dict(of), value)
            for (name, of), value in scrape(server).items()
            if name == "requests_total"
        ]
        assert all(of["version"] != "2" for of, _ in requests)  # nobody asked it
