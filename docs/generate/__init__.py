"""What documents show of the code, written by ``python -m docs.generate``."""
