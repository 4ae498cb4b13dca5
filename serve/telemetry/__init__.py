"""Metrics and the access log.

May import: inference, protocols, models, versions, processes and the base modules.
"""
