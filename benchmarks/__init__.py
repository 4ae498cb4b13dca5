"""Measures the server: under load, beside others, by its parts, and to its limit."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
SERVING = ROOT / ".venv-serve/bin/python"
"""Of the environment that serves; the other one, of this process, trains and measures."""
