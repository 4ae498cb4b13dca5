"""Answer predictions over HTTP: onnxruntime behind Flask on waitress, and no TensorFlow."""

import os

# Read when onnxruntime is imported; without it, a read-only container gets a line of complaint.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# Read when numpy is imported: its linear algebra is not used, and a supervisor with a second
# thread could not be forked safely.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
