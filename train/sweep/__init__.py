"""Many runs according to a plan, as one study; any number of processes share the work.

Of train it imports everything but ``compare``.
"""
