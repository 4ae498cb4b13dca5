"""What a request costs in process, step by step, and what HTTP adds to it."""
