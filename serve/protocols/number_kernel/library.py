"""The compiled kernel, if there is one that was made of the sources beside it."""

import ctypes
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
FILE = FOLDER / "kernel.so"
SOURCES = (FOLDER / "kernel.c", FOLDER / "decimal.h")
_DIGEST_BYTES = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Library:
    """What there is to call, or why there is nothing."""

    loaded: ctypes.PyDLL | None
    missing: str = ""

    @property
    def state(self) -> str:
        """``on`` or ``off``, as metrics say it."""
        return "on" if self.loaded else "off"

    def __str__(self) -> str:
        return self.state if self.loaded else f"{self.state} ({self.missing})"


def digest(compiled: bytes) -> bytes:
    """The SHA-256 that follows a compiled kernel in its file: of the sources, and of itself."""
    sources = b"\0".join(source.read_bytes() for source in SOURCES)
    return hashlib.sha256(sources + b"\0" + compiled).digest()


@functools.cache
def load() -> Library:
    """Load the kernel, once for each process."""
    return read(FILE)


def read(file: Path) -> Library:
    """Load a compiled kernel from a file, if it is whole and made of our sources.

    Nothing else is given to the dynamic linker: a truncated library can crash the process.
    """
    try:
        content = file.read_bytes()
        compiled, found = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
        if found != digest(compiled):
            return Library(None, f"{file.name} is not what the sources beside it compile to")
        # PyDLL, for a call is too short to let other threads run meanwhile.
        return Library(ctypes.PyDLL(str(file)))
    except FileNotFoundError:
        return Library(
            None, "not compiled; python -m serve.protocols.number_kernel.build does that"
        )
    except OSError as error:
        return Library(None, f"{file.name} can't be loaded: {error}")
