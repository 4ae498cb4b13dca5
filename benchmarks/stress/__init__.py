"""``python -m benchmarks stress``: does the server keep its temper when it has more than enough?"""
