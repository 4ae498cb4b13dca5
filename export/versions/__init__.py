"""Published versions: listed, verified and signed.

Of export it imports ``publishing``, ``proof``, ``graph``, and the modules outside any package.
"""
