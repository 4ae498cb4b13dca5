"""The dialects: each module turns bytes into arrays and arrays into bytes, and nothing else."""
