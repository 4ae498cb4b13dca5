"""The third-party clients that are called, and the Python interpreter of each."""

import sys
from pathlib import Path

from tests.conftest import ROOT

CLIENTS = ROOT / "build/clients/bin/python"
CALLS = {
    "tritonclient": CLIENTS,
    "kserve": CLIENTS,
    "mlflow": Path(sys.executable),
    "curl": Path(sys.executable),
}
