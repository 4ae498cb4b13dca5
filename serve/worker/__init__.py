"""A worker process: its event loop, its inference threads and how it follows the serving plan.

May import: every package except supervisor and rollout.
"""
