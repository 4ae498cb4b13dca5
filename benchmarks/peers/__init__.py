"""The servers that ours is compared with.

``peer_list.py`` says how each is started. Each ``…_app.py`` is the smallest idiomatic adapter, and
runs in the environment of its server. The package imports fixtures, load and system.
"""
