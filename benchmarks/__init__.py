"""Measures the server: under load, beside others, step by step, and up to its limit."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
SERVING = ROOT / ".venv-serve/bin/python"
"""Of the environment that is shipped; this process's environment trains and measures."""
BUILD = ROOT / "build/bench"
"""Models, logs and reports of benchmarks."""
