"""What ends a benchmark with one line."""


class BenchmarkError(Exception):
    """A benchmark can't be made, or its figures would not count; the message says why."""
