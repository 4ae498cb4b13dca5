"""What the tests of benchmarks share: the served model's golden rows, and its address."""

from pathlib import Path

import pytest

from benchmarks.load import golden_rows, rounds
from benchmarks.load.golden_rows import GoldenModel
from tests.servers.live import Server


@pytest.fixture
def host(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers are measured at once, as if they had answered very many requests per second."""
    monkeypatch.setattr(rounds, "warm_up", lambda *_: 1e9)


@pytest.fixture(scope="session")
def golden(repository: Path) -> GoldenModel:
    return golden_rows.published(repository, "mnist")
