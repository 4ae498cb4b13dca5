"""``python -m benchmarks capacity``: the rate that a replica sustains, and replicas for a rate.

Imports report, fixtures, load and system.
"""
