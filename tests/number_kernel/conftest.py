"""The tests here compare what the kernel gives: there must be one."""

import pytest

from tests.number_kernel import compiled


@pytest.fixture(scope="session", autouse=True)
def _kernel() -> None:
    compiled.compile_if_needed()
