"""Finished runs side by side: in the terminal, as an HTML page, and as a table in a document.

Of train it imports ``run_options``, ``preset`` and ``errors``.
"""
