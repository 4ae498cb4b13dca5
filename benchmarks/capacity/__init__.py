"""The highest rate that one replica sustains, and how many replicas a rate needs."""
