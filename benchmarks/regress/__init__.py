"""Scenarios, what is measured in each, and how much that may change."""
