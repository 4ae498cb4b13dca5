"""What a training run leaves in MLflow: its metrics, the data kept with it, its Git commit.

Of this project it imports ``cli``.
"""

import cli.environment  # noqa: F401  before MLflow is imported
