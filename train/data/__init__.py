"""Data sets: checked, split, augmented and put into batches.

Of train it imports ``run_options``, ``data_options`` and ``errors``.
"""
