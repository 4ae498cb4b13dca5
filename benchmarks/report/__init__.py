"""What the commands write: tables, and JSON with all raw data.

May import: load; cli.
"""
