"""Servers side by side: each one started, checked and loaded in turn."""
