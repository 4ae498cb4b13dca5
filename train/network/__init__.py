"""Networks: their layers, their loss and their optimizer.

Of train it imports ``data`` and ``run_options``.
"""
