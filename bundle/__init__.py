"""The contract between export and serve: a model repository on disk.

``export/`` is the only writer and ``serve/`` the only reader; both go through this
package, which needs the standard library and numpy alone.
"""
