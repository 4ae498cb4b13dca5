"""Which Debian packages the files of the image come from: their versions and their licences."""

import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DOCUMENTS = Path("/usr/share/doc")
LICENCES = Path("/usr/share/common-licenses")  # which packages' own files refer to


@dataclass(frozen=True, order=True)
class Package:
    """A Debian package."""

    name: str
    version: str
    architecture: str


def owners(files: Iterable[Path]) -> list[Package]:
    """The packages that these files of the system belong to, sorted."""
    plain = [str(file).removeprefix("/usr") for file in files]
    # Since /lib is a link to /usr/lib, a package may have either path in its list.
    found = _run("dpkg-query", "--search", *plain, *(f"/usr{path}" for path in plain))
    names = {line.split(":")[0] for line in found.splitlines()}
    shown = _run("dpkg-query", "--show", "-f", "${Package} ${Version} ${Architecture}\n", *names)
    return sorted({Package(*line.split()) for line in shown.splitlines()})


def copy_licences(packages: Iterable[Package], root: Path) -> None:
    """Keep each package's ``copyright`` where Debian has it, and the licences that these name."""
    shutil.copytree(LICENCES, root / LICENCES.relative_to("/"), symlinks=True)
    for package in packages:
        target = root / DOCUMENTS.relative_to("/") / package.name
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(DOCUMENTS / package.name / "copyright", target)


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
