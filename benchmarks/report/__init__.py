"""What benchmarks write: JSON with all raw data, tables in Markdown, and a page with plots."""
