"""Models that do not come from a run of training: converted, checked against themselves, published.

Of export it imports ``publishing``, ``proof``, ``graph``, and the modules outside any package.
"""
