"""How fast the server is, as ratios to what a user would pick instead, taken in one run."""
