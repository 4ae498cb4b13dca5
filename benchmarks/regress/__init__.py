"""``python -m benchmarks guard``: did a change make the server slower than it was?"""
