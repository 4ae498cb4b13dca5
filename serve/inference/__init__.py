"""Inference requests: API keys, admission, the queue, and batches that run on a model.

May import: protocols, models and the base modules.
"""
