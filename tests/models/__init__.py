"""Models that tests serve: one trained for real, others made for one purpose each."""
