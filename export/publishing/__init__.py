"""From the model of a run to a version in the model repository.

Of export it imports ``proof``, ``graph``, and the modules outside any package.
"""
