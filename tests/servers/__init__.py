"""Servers in processes of their own, and what tests see of those processes."""
