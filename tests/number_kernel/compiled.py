"""The kernel as tests need it: compiled of the sources as they are."""

import shutil

import pytest

from serve.protocols.number_kernel import build, extract, library

needs_cc = pytest.mark.skipif(
    shutil.which("cc") is None, reason="there is no cc; on Debian: apt-get install build-essential"
)


def compile_if_needed() -> None:
    """Compile it where that was not done; without a compiler the test is skipped."""
    if library.read(library.FILE).loaded:
        return
    if shutil.which("cc") is None:
        pytest.skip("the number kernel is not compiled, and there is no cc to do it")
    build.build(library.FILE)
    library.load.cache_clear()
    extract.compiled.cache_clear()
