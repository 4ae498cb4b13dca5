"""What benchmarks write: JSON with all raw data, tables, and a page with plots.

Imports cli/, and for the report of a grid benchmarks.run, export/ and tracking/.
"""
