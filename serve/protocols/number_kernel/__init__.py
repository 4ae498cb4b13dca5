"""Reads the numbers of JSON documents, in C: an addition to ``json_arrays``, which works without.

- ``kernel.c``, ``decimal.h``: the kernel, which knows nothing of Python;
- ``build``: compiles it; ``library``: loads it, and says why where it can't be used;
- ``extract``: calls it.
"""
