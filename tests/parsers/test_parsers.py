"""Whatever bytes come, a parser rejects them or reads what a plain reference parser reads.

Hypothesis makes up the bytes and reports the shortest ones that fail.
``python -m tests.reliability documents`` reads many more documents from a faster generator.
"""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings

from serve.models.spec import ModelSpec
from tests.parsers import documents
from tests.reliability import parsing
from tests.reliability.documents import Document

EXAMPLES = 500
PHASES = (Phase.generate, Phase.shrink)


def check(requests: Any, read: Any = parsing.parse, phases: Any = PHASES) -> Counter[bool]:
    """Let a parser read requests; counts those that it accepted (True) and rejected (False).

    Raises:
        AssertionError: it did neither as it should.

    """
    counted: Counter[bool] = Counter()

    @settings(max_examples=EXAMPLES, phases=phases, deadline=None, database=None, derandomize=True)
    @given(requests)
    def examine(request: tuple[Document, ModelSpec]) -> None:
        result = parsing.check(*request, read)
        assert not isinstance(result, str), result
        counted[result] += 1

    examine()
    return counted


@pytest.mark.parametrize("protocol", documents.PROTOCOLS)
def test_requests_with_changed_bytes(protocol: Any) -> None:
    counted = check(documents.requests(protocol))
    assert min(counted[True], counted[False]) > EXAMPLES / 10, counted


@pytest.mark.parametrize("protocol", documents.PROTOCOLS)
def test_any_bytes(protocol: Any) -> None:
    check(documents.unstructured(protocol))


def rounds_large_integers(document: Document, model_spec: ModelSpec) -> dict[str, Any] | None:
    inputs = parsing.parse(document, model_spec) or {}
    for name, array in inputs.items():
        if array.dtype == np.int64:
            inputs[name] = array.astype(np.float64).clip(-(2**62), 2**62).astype(np.int64)
    return inputs


def fails_on_an_empty_key(document: Document, model_spec: ModelSpec) -> dict[str, Any] | None:
    inputs = parsing.parse(document, model_spec)
    if b'"": ' in document.body:
        raise KeyError("")
    return inputs


@pytest.mark.parametrize("read", [rounds_large_integers, fails_on_an_empty_key])
def test_a_wrong_parser_is_noticed(read: Any) -> None:
    with pytest.raises(AssertionError, match="tfserving"):
        check(documents.requests(documents.tfserving), read, phases=[Phase.generate])
