"""Generated documents; ``python -m tests.reliability documents`` reads more of them."""

from random import Random
from typing import Any

import numpy as np
import pytest

from serve.models.spec import ModelSpec
from tests.reliability import parsing
from tests.reliability.documents import Document


def test_every_proper_request_is_taken() -> None:
    random = Random(0)
    for _ in range(5000):
        model_spec = random.choice(parsing.MODELS)
        document = parsing.proper_request(random, model_spec)
        assert parsing.parse(document, model_spec), (document, model_spec)


def test_what_is_taken_is_what_was_sent_and_anything_else_is_refused() -> None:
    counted, wrong = parsing.summary(seed=1, count=100_000)
    assert wrong == []
    assert min(counted.values()) > 10_000


def one_bit_off(document: Document, model_spec: ModelSpec) -> dict[str, Any] | None:
    inputs = parsing.parse(document, model_spec)
    if inputs and len(document.body) % 50 == 0:
        array = next(iter(inputs.values()))
        inputs[model_spec.inputs[0].name] = changed = array.copy()
        changed.reshape(-1).view(np.uint8)[0] ^= 1
    return inputs


def fails(document: Document, model_spec: ModelSpec) -> dict[str, Any] | None:
    if len(document.body) % 50 == 0:
        raise KeyError("image")
    return parsing.parse(document, model_spec)


def takes_all(document: Document, model_spec: ModelSpec) -> dict[str, Any] | None:
    spec = model_spec.inputs[0]
    return parsing.parse(document, model_spec) or {spec.name: np.zeros((1, 4), spec.dtype)}


@pytest.mark.parametrize("read", [one_bit_off, fails, takes_all])
def test_a_parser_that_is_wrong_is_found(read: Any) -> None:
    assert list(filter(lambda result: isinstance(result, str), parsing.faults(2, 2000, read)))
