"""``python -m benchmarks profile``: what a request costs step by step, and what HTTP adds to it.

Imports report, fixtures, load and system; ``step_costs.py`` runs in the serving environment.
"""
