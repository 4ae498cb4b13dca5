"""``python -m benchmarks compare``: our server and others under the same load, in turn.

Imports peers, report, fixtures, load and system.
"""
