"""One training run: its data, training, checkpoints, and what is logged to MLflow.

Of train it imports ``network``, ``data``, ``reading``, ``evaluation``, ``run_options`` and
``errors``.
"""
