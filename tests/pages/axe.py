"""axe-core, which looks for what keeps people from using a page; from npm, once."""

import base64
import hashlib
import io
import subprocess
import tarfile

from tests.conftest import ROOT

VERSION = "4.10.3"
SHA512 = "Xm7bpRXnDSX2YE2YFfBk2FnF0ep6tmG7xPh8iHee8MIcrgq762Nkce856dYtJYLkuIoYZvGfTs/PbZhideTcEg=="
CACHE = ROOT / "build"


def script() -> str:
    """Its code, which defines ``axe``."""
    file = CACHE / f"axe-core-{VERSION}.tgz"
    if not file.exists():
        CACHE.mkdir(exist_ok=True)
        command = ["npm", "pack", f"axe-core@{VERSION}", "--loglevel=error"]
        subprocess.run([*command, "--pack-destination", CACHE], check=True, timeout=120)
    data = file.read_bytes()
    assert base64.b64encode(hashlib.sha512(data).digest()).decode() == SHA512
    with tarfile.open(fileobj=io.BytesIO(data)) as package:
        member = package.extractfile("package/axe.min.js")
        assert member
        return member.read().decode()
