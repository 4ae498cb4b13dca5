"""One training run: the network, its training, checkpoints, and what is logged to MLflow.

Of train it imports ``data``, ``reading``, ``evaluation``, ``run_options`` and ``errors``.
"""
