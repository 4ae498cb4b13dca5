"""Metrics, the distance of requests from the test set, and logs.

May import: inference, protocols, models, versions, processes and the base modules.
"""
