"""Train dense networks with TensorFlow, and record every run in MLflow.

Of this project it imports ``bundle``, ``cli`` and ``tracking``.
"""

import cli.environment  # noqa: F401  before TensorFlow is imported
