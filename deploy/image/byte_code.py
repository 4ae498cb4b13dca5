"""Python modules without their sources, the same bytes on every run."""

import compileall
import py_compile
import shutil
import sysconfig
import zipfile
from collections.abc import Iterable
from pathlib import Path

import unused

_NEVER_CHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH  # and so without a time in it
_WITHOUT_DOCSTRINGS = 2


def compile_all(root: Path, folder: Path) -> None:
    """Compile each module below ``root/folder`` to a file beside it, and remove its source."""
    compileall.compile_dir(
        root / folder,
        quiet=1,
        legacy=True,
        stripdir=str(root),
        prependdir="/",
        invalidation_mode=_NEVER_CHECKED,
    )
    for source in (root / folder).rglob("*.py"):
        source.unlink()


def standard_library(root: Path, version: str, folder: Path) -> list[Path]:
    """Put the modules into ``folder``, and those that are libraries where they are looked for.

    Returns the files of the system that were used.
    """
    source = Path(sysconfig.get_path("stdlib"))
    used = [path for path in sorted(source.rglob("*.py")) if _is_used(path.relative_to(source))]
    for path in used:
        name = path.relative_to(source)
        py_compile.compile(
            str(path),
            str(folder / name.with_suffix(".pyc")),
            f"/usr/lib/{version}/{name}",  # in tracebacks
            doraise=True,
            optimize=_WITHOUT_DOCSTRINGS,
            invalidation_mode=_NEVER_CHECKED,
        )
    dynamic = root / "usr/lib" / version / "lib-dynload"
    dynamic.mkdir(parents=True)
    libraries = [
        path
        for path in sorted((source / "lib-dynload").glob("*.so"))
        if not path.name.startswith(unused.LIBRARIES)
    ]
    for path in libraries:
        shutil.copy(path, dynamic)
    return [*used, *libraries]


def _is_used(name: Path) -> bool:
    if name.parts[0].removesuffix(".py") in unused.MODULES:
        return False
    return not {"tests", "test", "site-packages", "dist-packages"} & {*name.parts}


def take_pure(packages: Path, folder: Path) -> None:
    """Move the packages that are nothing but modules into ``folder``."""
    for path in sorted(packages.iterdir()):
        files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
        if all(file.suffix == ".pyc" for file in files):
            shutil.move(path, folder / path.name)


def archive(folder: Path, file: Path) -> None:
    """Move what is in ``folder`` into an archive, from which Python imports as well."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as modules:
        for path in _files(folder):
            name = zipfile.ZipInfo(str(path.relative_to(folder)))
            modules.writestr(name, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)
    shutil.rmtree(folder)


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
