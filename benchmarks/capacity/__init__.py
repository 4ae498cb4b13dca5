"""``python -m benchmarks capacity``: what a replica holds, and how many replicas that takes."""
