"""``python -m benchmarks peers``: what a user would pick instead, under the same load.

``table.py`` says how each is started; each ``…_app.py`` is the smallest idiomatic adapter, run in
its peer's own environment.
"""
