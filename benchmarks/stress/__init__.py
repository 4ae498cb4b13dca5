"""``python -m benchmarks stress``: the server while it is busy or overrun, and its memory."""
