"""What a model does well and badly: metrics, plots, and which columns matter.

Of train it imports ``data`` and ``errors``.
"""
