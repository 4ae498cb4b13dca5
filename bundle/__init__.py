"""The contract between export and serve: a model repository on disk.

``export/`` is the only writer and ``serve/`` the only reader. Both use this package, which needs
only the standard library and numpy.
"""
