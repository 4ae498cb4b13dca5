"""``python -m benchmarks run``: the served model under a grid of loads, and a report of it."""
