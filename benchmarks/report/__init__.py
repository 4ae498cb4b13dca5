"""What a benchmark leaves: JSON with all raw data, a table in Markdown, and a page with plots."""
