"""Make the root file system of the serving image: what the server needs, and nothing else.

``python3 root.py SITE_PACKAGES ROOT PART…`` is run by Dockerfile.serve with Debian's Python. It
copies that interpreter, the standard library without what a server never imports, the installed
packages without what they never load, our own PARTs, and every shared library that these link to.
Python code is there as byte code alone. Two runs on the same files make the same bytes.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import byte_code
import debian
import unused

VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
APP = Path("app")
PACKAGES = Path("usr/local/lib") / VERSION / "dist-packages"  # where Debian's Python looks for them
USER = 65532  # as in other images without a distribution


def main(site_packages: Path, root: Path, parts: list[Path]) -> None:
    """Make the tree below ``root``."""
    root.mkdir()
    system = _interpreter(root)
    modules = root / "modules"
    system += byte_code.standard_library(root, VERSION, modules)
    shutil.copytree(site_packages, root / PACKAGES, ignore=shutil.ignore_patterns("__pycache__"))
    _remove(_matching(root / PACKAGES, unused.FILES))
    _strip(root / PACKAGES)
    for part in parts:
        shutil.copytree(part, root / APP / part.name, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (PACKAGES, APP):
        byte_code.compile_all(root, folder)
    byte_code.take_pure(root / PACKAGES, modules)
    byte_code.archive(modules, root / "usr/lib" / f"{VERSION.replace('.', '')}.zip")
    libraries = _libraries(root)
    for library in libraries:
        copy(library, root)
    packages = debian.owners([*system, *libraries])
    debian.copy_licences(packages, root)
    (root / "usr/share/sbom").mkdir(parents=True)
    told = [f"{one.name}={one.version}={one.architecture}\n" for one in packages]
    (root / "usr/share/sbom/debian").write_text("".join(told))
    _accounts(root)


def _interpreter(root: Path) -> list[Path]:
    program = Path("/usr/bin") / VERSION
    copy(program, root)
    (root / "usr/bin/python3").symlink_to(VERSION)
    for link, target in (("bin", "usr/bin"), ("lib", "usr/lib"), ("lib64", "usr/lib64")):
        (root / target).mkdir(parents=True, exist_ok=True)
        (root / link).symlink_to(target)
    return [program]


def _matching(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(folder.glob(pattern))


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _strip(packages: Path) -> None:
    """Remove symbols that only a debugger reads; those of numpy.libs break when it is done."""
    for library in sorted(packages.rglob("*.so")):
        if library.parent.name != "numpy.libs":
            subprocess.run(["strip", "--strip-unneeded", library], check=True)


def _libraries(root: Path) -> list[Path]:
    """Every shared library of the system that a program or library below ``root`` links to.

    Raises:
        SystemExit: this system lacks one, so the image would.

    """
    found: set[Path] = set()
    for program in root.rglob("*"):
        if program.is_file() and _is_elf(program):
            listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
            if "not found" in listed.stdout:
                raise SystemExit(f"{program} links to what is not here:\n{listed.stdout}")
            words = listed.stdout.split()
            found |= {Path(word) for word in words if word.startswith("/") and ".so" in word}
    return sorted(path for path in found if not path.is_relative_to(root))


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def copy(path: Path, root: Path) -> None:
    """Copy a file of the system to its own place; links on the way are followed."""
    target = root / (path.parent.resolve() / path.name).relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)


def _accounts(root: Path) -> None:
    """One user without privileges, and folders for what is passing and for models."""
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/passwd").write_text(f"onnxlet:x:{USER}:{USER}::/nonexistent:/nonexistent\n")
    (root / "etc/group").write_text(f"onnxlet:x:{USER}:\n")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "models").mkdir()
    os.chown(root / "models", USER, USER)


if __name__ == "__main__":
    packages, made, *own = map(Path, sys.argv[1:])
    main(packages, made, own)
