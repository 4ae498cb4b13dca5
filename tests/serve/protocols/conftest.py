"""Each test of a protocol runs with the number kernel, compared with simdjson, and without it."""

from typing import Any

import pytest

from serve.protocols.reading import json_document
from tests.number_kernel import compiled
from tests.number_kernel.comparison import outcome, without_kernel


@pytest.fixture(params=["kernel", "no kernel"], autouse=True)
def _kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    read = json_document.read

    def compared(*arguments: Any, **options: Any) -> Any:
        assert outcome(lambda: read(*arguments, **options)) == outcome(
            lambda: without_kernel(*arguments, **options)
        )
        return read(*arguments, **options)

    if request.param == "kernel":
        compiled.compile_if_needed()
    monkeypatch.setattr(
        json_document, "read", compared if request.param == "kernel" else without_kernel
    )
