"""Processes, the messages between them, and the folder that they share.

May import: the base modules.
"""
