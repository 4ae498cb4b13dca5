"""Here ``server`` has two workers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.live import Server


@pytest.fixture
def server(repository: Path) -> Iterator[Server]:
    with Server("--models", str(repository), "--workers", "2") as running:
        yield running
