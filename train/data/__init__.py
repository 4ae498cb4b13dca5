"""Data sets of images: read, checked, split, augmented and put into batches.

Of train it imports ``run_options`` and ``errors``.
"""
