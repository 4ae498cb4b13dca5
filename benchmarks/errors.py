"""What ends a benchmark with one line."""

from cli.errors import CommandError


class BenchmarkError(CommandError):
    """A benchmark can't run, or its figures would not count; the message says why."""
