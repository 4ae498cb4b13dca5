"""The models in the memory of one process: loaded, tested, and found by name and version.

May import: versions, processes and the base modules.
"""
