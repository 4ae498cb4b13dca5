"""``python -m serve.protocols.number_kernel.build``: compile the kernel. It needs a C compiler.

The compiler is ``$CC``, or cc. Serving never compiles: it uses what this has made, or does without.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from serve.protocols.number_kernel import library

# No -march: what is built on one machine shall run on any other of its kind. And no
# -ffast-math, which would round decimals otherwise.
OPTIONS = ("-std=gnu11", "-O3", "-fPIC", "-shared", "-s", "-Wall", "-Wextra")


def main() -> int:
    """Compile the kernel beside its sources; returns the exit status."""
    try:
        build(library.FILE)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"no number kernel, so JSON takes longer to parse: {error}", file=sys.stderr)
        return 1
    print(f"compiled {os.path.relpath(library.FILE)}")
    return 0


def build(file: Path) -> None:
    """Compile the kernel into ``file``, which appears whole or not at all.

    Raises:
        OSError: there is no compiler, or no place for the file.
        subprocess.CalledProcessError: the compiler failed; it has said why.

    """
    compiler = shlex.split(os.environ.get("CC", "cc"))
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".build-") as folder:
        made = Path(folder) / "kernel.so"
        subprocess.run([*compiler, *OPTIONS, "-o", str(made), str(library.SOURCES[0])], check=True)
        compiled = made.read_bytes()
        made.write_bytes(compiled + library.digest(compiled))
        made.replace(file)


if __name__ == "__main__":
    sys.exit(main())
