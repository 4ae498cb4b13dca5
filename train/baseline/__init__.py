"""A model of another kind on the same data, to compare networks with.

Of train it imports everything but ``sweep`` and ``compare``.
"""
