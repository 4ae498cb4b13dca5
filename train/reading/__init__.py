"""Reads data sets: known ones, and those in files of several formats.

Of train it imports ``data``, ``data_options`` and ``errors``.
"""
