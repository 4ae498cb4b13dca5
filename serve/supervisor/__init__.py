"""The main process: it listens, starts and replaces workers, and hands out connections.

May import: rollout, worker.entry, versions, processes and the base modules.
"""
