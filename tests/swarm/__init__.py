"""A Docker Swarm of two machines, and what happens to requests while it changes.

``python -m tests.swarm`` needs root and Debian's packages, and takes some minutes. docs/deploy.md
has its figures.
"""
