"""requirements/install takes what a lock pins, whatever was released since, with the oldest pips.

A package index of our own has a lock's packages, and what rots locks: a newer release of one of
them, which another one asks for with an extra.
"""

import base64
import hashlib
import http.server
import os
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import run

OLDEST_PIPS = {"3.11": "22.3", "3.12": "23.2.1", "3.13": "24.2"}
"""What `python -m venv` installs with the first release of each Python."""


def add_wheel(index: Path, name: str, version: str, *metadata: str) -> str:
    """Add a wheel of an empty package to an index; returns the line of a lock that pins it."""
    info = f"{name}-{version}.dist-info"
    lines = ("Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata, "")
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": "\n".join(lines),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},{_digest(text)},{len(text)}\n" for path, text in files.items())
    folder = index / name
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def _digest(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return f"sha256={digest.rstrip(b'=').decode()}"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a package index with pinned 1.0 and 2.0, asking 1.0 and wanted 1.0."""
    folder = tmp_path_factory.mktemp("index")
    newer = ("Provides-Extra: more", 'Requires-Dist: wanted; extra == "more"')
    lock = add_wheel(folder, "pinned", "1.0", *newer)
    add_wheel(folder, "pinned", "2.0", *newer)
    lock += add_wheel(folder, "asking", "1.0", "Requires-Dist: pinned[more]<3,>=1")
    lock += add_wheel(folder, "wanted", "1.0")
    (folder / "lock.txt").write_text(lock)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is there
            pass

    handler = partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def lock(index: str, tmp_path: Path) -> Path:
    path = tmp_path / "lock.txt"
    done = run("curl", "-sS", f"{index}/lock.txt", "-o", path)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(params=OLDEST_PIPS)
def old_python(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An environment of a Python with nothing but the oldest pip that came with it."""
    version: str = request.param
    home = tmp_path / "uv"
    for command in (
        ("venv", "--python", interpreter(version), home),
        ("pip", "install", "--python", home, f"pip=={OLDEST_PIPS[version]}"),
    ):
        done = run("requirements/uv", *command)
        assert done.returncode == 0, done.stderr
    return home


def interpreter(version: str) -> str:
    """A Python of this machine, on the PATH or of pyenv. Without one, the test is skipped."""
    found = run("requirements/uv", "python", "find", "--no-python-downloads", version)
    if found.returncode == 0:
        return found.stdout.strip()
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for path in pyenv.glob(f"versions/{version}.*/bin/python"):
        return str(path)
    pytest.skip(f"there is no Python {version} here")


def install(
    environment: Path, lock: Path, index: str, **settings: str
) -> "subprocess.CompletedProcess[str]":
    settings |= {"UV_DEFAULT_INDEX": index}
    command = ("requirements/install", environment, lock)
    return run("env", *(f"{name}={value}" for name, value in settings.items()), *command)


def installed(environment: Path) -> list[str]:
    listed = run("requirements/uv", "pip", "freeze", "--python", environment)
    return listed.stdout.split()


def test_a_later_release_changes_nothing(
    old_python: Path, lock: Path, index: str, tmp_path: Path
) -> None:
    settings = {"PYTHON": str(old_python / "bin/python"), "UV_HOME": str(old_python)}
    done = install(tmp_path / "made", lock, index, **settings)
    assert done.returncode == 0, done.stderr
    assert installed(tmp_path / "made") == ["asking==1.0", "pinned==1.0", "wanted==1.0"]
    assert f"{tmp_path}/made takes " in done.stdout


def test_a_newer_release_breaks_an_install_that_resolves(
    old_python: Path, lock: Path, index: str
) -> None:
    """So the test above can fail: this is what pip does before release 24."""
    pip = (old_python / "bin/pip", "install", "--require-hashes", "--index-url", index)
    done = run(*pip, "-r", lock)
    version = run(pip[0], "--version").stdout.split()[1]
    if int(version.partition(".")[0]) < 24:
        assert done.returncode == 1
        assert "requirements must have their versions pinned with ==" in done.stderr
    else:
        assert done.returncode == 0, done.stderr


def test_a_lock_that_lacks_a_package_is_an_error(lock: Path, index: str, tmp_path: Path) -> None:
    pins = [line for line in lock.read_text().splitlines() if not line.startswith("pinned")]
    lock.write_text("\n".join(pins))
    done = install(tmp_path / "made", lock, index)
    assert done.returncode != 0
    assert "`asking` requires `pinned" in done.stderr


def test_another_file_than_the_locked_one_is_an_error(
    lock: Path, index: str, tmp_path: Path
) -> None:
    text = lock.read_text()
    lock.write_text(text.replace("--hash=sha256:", "--hash=sha256:" + "0" * 8, 1)[: len(text)])
    done = install(tmp_path / "made", lock, index)
    assert done.returncode != 0
    assert "hash" in done.stderr.lower()


def test_a_python_that_is_too_old_is_named(lock: Path, index: str, tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.10.1\nexit 1\n')
    old.chmod(0o755)
    done = install(tmp_path / "made", lock, index, PYTHON=str(old))
    assert done.returncode == 1
    assert done.stderr.startswith(f"onnxlet needs Python 3.11 to 3.13, but {old} is Python 3.10.1;")
    assert not (tmp_path / "made").exists()
