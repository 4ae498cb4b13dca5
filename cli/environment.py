"""What TensorFlow and MLflow read from the environment when they are imported.

Packages that use them import this module in their ``__init__``. What the user has set stays.
"""

import os

# Silences start-up notes on CPU features. oneDNN is off because it announces itself on each
# import whatever the log level, and the default network trains as fast without it
# (512 units, 6 epochs on 2 cores: 8.1 and 8.4 s without, 8.0 and 8.1 s with it).
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # stdout is for ids
