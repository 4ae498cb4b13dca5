"""What `make test` runs: programs and environments first, then all groups of tests, then a summary.

It runs before there is an environment, so it uses nothing but the standard library.
"""
