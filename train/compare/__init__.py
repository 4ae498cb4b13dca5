"""Runs side by side: in the terminal, as a page, and as a table for a document."""
