"""``python -m benchmarks limit``: what an answer costs in process, and what HTTP adds to it."""
