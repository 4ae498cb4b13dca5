"""``python -m benchmarks run``: a served model under a grid of loads, and its report.

May import: report, fixtures, load, system; export and tracking for the MLflow run.
"""
