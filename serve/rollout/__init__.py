"""How a new model version comes into service: found, validated, then loaded by every worker.

May import: versions, processes and the base modules.
"""
