"""Which model versions are served: what the repository holds, the policy, and the serving plan.

May import: processes and the base modules.
"""
