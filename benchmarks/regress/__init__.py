"""``python -m benchmarks regress``: scenarios, their metrics, and how much these may change.

Imports profile, peers, report, fixtures, load and system.
"""
