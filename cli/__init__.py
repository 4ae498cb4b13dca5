"""What the commands train, export and benchmarks have in common: numbers, Ctrl-C, tables, pages.

Imports the standard library and plotly.
"""
