"""``python -m benchmarks batching``: the server beside itself, with other settings of its runs."""
