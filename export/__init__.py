"""Turn the Keras model of an MLflow run into ONNX, prove it equal, and publish it."""

import os

import train  # noqa: F401  the environment that it sets for TensorFlow and MLflow holds here too

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
