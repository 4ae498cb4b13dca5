"""The queue under several threads, as with --inference-threads."""

import sys
import threading
from collections.abc import Iterator
from typing import cast

import pytest

from serve.inference.inference_job import InferenceJob
from serve.inference.request_queue import RequestQueue
from serve.models.session import Model
from serve.protocols import predict


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


MODELS = {name: cast(Model, object()) for name in "abc"}


def job(name: str) -> InferenceJob:
    return InferenceJob(predict, b"", {}, model=MODELS[name])


def test_takes_the_first_of_a_model_and_leaves_the_others_in_order() -> None:
    waiting = RequestQueue()
    jobs = [job(name) for name in "aabab"]
    for one in jobs:
        waiting.add(one)
    first = waiting.take()
    assert first is jobs[0]
    assert waiting.take(MODELS["b"]) is jobs[2]
    assert waiting.take(MODELS["c"]) is None
    waiting.put_back(first)
    left = [waiting.take() for _ in range(5)]
    assert left == [jobs[0], jobs[1], jobs[3], jobs[4], None]


def work_off(waiting: RequestQueue, taken: list[InferenceJob]) -> None:
    """Take runs of one model, and put every third of them back."""
    while first := waiting.take():
        taken.append(first)
        turn = 0
        while other := waiting.take(first.model):
            turn += 1
            if turn % 3 == 0:
                waiting.put_back(other)
                break
            taken.append(other)


@pytest.mark.usefixtures("hurried")
def test_no_job_is_lost_or_taken_twice() -> None:
    for _ in range(200):
        waiting = RequestQueue()
        jobs = [job(name) for name in "abc" * 40]
        for one in jobs:
            waiting.add(one)
        taken: list[InferenceJob] = []
        threads = [threading.Thread(target=work_off, args=(waiting, taken)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(taken) == len(jobs)
        assert set(map(id, taken)) == set(map(id, jobs))
