"""How the C library keeps the memory of finished requests."""

import contextlib
import ctypes

# From glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

KEEP_BYTES = 32 * 2**20  # the largest threshold that glibc takes on 64 bits


def tune() -> None:
    """Have malloc keep up to 32 MiB of freed memory for the next request.

    By default a large body's buffers are given back to the kernel after each request and faulted
    in again, page by page, at the next. That tripled the cost of 256 rows; see
    docs/performance.md. Other C libraries are left as they are.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_TRIM_THRESHOLD, KEEP_BYTES)
        mallopt(_M_MMAP_THRESHOLD, KEEP_BYTES)
        # A thread would get an arena of its own, of which ``trim`` can't cut off the end.
        mallopt(_M_ARENA_MAX, 1)


def trim() -> None:
    """Give all freed memory back to the kernel, after a model was loaded or unloaded."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
