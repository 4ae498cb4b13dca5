"""``python -m benchmarks run``: a served model under a grid of loads.

``run_grid.py`` is the command, and imports benchmarks.report, which imports the other modules here.
"""
