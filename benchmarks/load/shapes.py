"""The shapes of load that all commands use."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """Closed connections, each of which sends a request as soon as the last one is answered."""

    rows: int
    """Of each request."""
    connections: int

    def __str__(self) -> str:
        return f"{self.rows} x {self.connections}"


SINGLE_ROWS = Shape(1, 16)
SMALL_BATCHES = Shape(32, 4)
LARGE_BATCHES = Shape(256, 4)
SHAPES = (SINGLE_ROWS, SMALL_BATCHES, LARGE_BATCHES)
"""What servers are compared with."""
