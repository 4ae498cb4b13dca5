"""MLflow: the store of runs, and the metrics that are compared.

Imports MLflow and ``cli``.
"""
