"""Convert the Keras model of a run to ONNX, check that both give the same results, and publish it.

Of this project it imports ``bundle``, ``cli`` and ``tracking``.
"""

import os

import cli.environment  # noqa: F401  before TensorFlow is imported

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
