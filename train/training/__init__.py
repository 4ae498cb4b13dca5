"""One training run: the network, its training, checkpoints, and what is logged to MLflow.

Of train it imports ``data``, ``run_options`` and ``errors``.
"""
