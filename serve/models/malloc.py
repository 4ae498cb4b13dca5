"""Tunes malloc of the C library: how much freed memory it keeps."""

import contextlib
import ctypes

# From glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

KEEP_BYTES = 32 * 2**20  # the largest threshold that glibc accepts on 64 bits


def tune() -> None:
    """Make malloc keep up to 32 MiB of freed memory for the next request.

    By default, the buffers of a large body are returned to the kernel after each request, and the
    next request causes a page fault for each page. That tripled the cost of 256 rows; see
    docs/performance.md. Other C libraries than glibc are not changed.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_TRIM_THRESHOLD, KEEP_BYTES)
        mallopt(_M_MMAP_THRESHOLD, KEEP_BYTES)
        # A thread would get an arena of its own, which ``trim`` can't return.
        mallopt(_M_ARENA_MAX, 1)


def trim() -> None:
    """Return all freed memory to the kernel, after a model was loaded or unloaded."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
