"""The commands that documents show, run as they stand there.

``python -m tests.documents PAGE...`` also runs the blocks that tests leave out; see ``blocks``.
"""
