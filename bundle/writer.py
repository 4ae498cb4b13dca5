"""Writing to a model repository: publishing a version and moving a label are atomic.

A published version never changes. Writers share a lock on the model's folder, so that no writer
removes what another one is writing.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from bundle import labels, layout
from bundle.errors import BundleError
from bundle.labels import Labels
from bundle.layout import MANIFEST_FILE
from bundle.manifest import Manifest

Files = Mapping[str, bytes]
_HIDDEN = ".publishing-"
_PROMOTION_LOCK = ".promotion.lock"


def publish(
    root: Path,
    manifest: Manifest,
    files: Files,
    numbered: Callable[[int], Files] | None = None,
) -> Path:
    """Write files and their manifest as the next version of ``manifest.name``.

    The version and the checksums in ``manifest`` are set here. Everything is written to a
    hidden folder, flushed to disk and renamed: a reader sees a whole version or none, and
    two concurrent writers get two versions.

    Args:
        root: the repository.
        manifest: of the version.
        files: their names and contents.
        numbered: returns further files that contain the version's number.

    Returns:
        The version's folder.

    """
    folder = _folder(root, manifest.name)
    with _writing(folder):
        hidden = folder / f"{_HIDDEN}{secrets.token_hex(8)}"
        hidden.mkdir()
        try:
            for file, data in files.items():
                _write(hidden / file, data)
            version = _next_number(root, manifest.name)
            while not _published(hidden, folder, version, manifest, files, numbered):
                version = _next_number(root, manifest.name)  # somebody else took this one
        finally:
            shutil.rmtree(hidden, ignore_errors=True)
    return folder / str(version)


def _next_number(root: Path, name: str) -> int:
    """A number that no version has or ever had."""
    with _numbers(root / name) as (_, used):
        return max([used, *layout.versions(root, name)]) + 1


def _take_number(folder: Path, number: int) -> bool:
    """Use up a number, whatever becomes of its version; False if another writer has used it.

    If the number of a deleted version came back, a signed copy of it would pass as the new one.
    """
    with _numbers(folder) as (file, used):
        if number <= used:
            return False
        file.write(b"\n%d\n" % number)  # what was there may have been cut off
        file.flush()
        os.fsync(file.fileno())
    return True


@contextlib.contextmanager
def _numbers(folder: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The file of all numbers that were ever used, locked, and the largest of them."""
    with (folder / layout.NUMBERS_FILE).open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        yield file, max((int(line) for line in file.read().split() if line.isdigit()), default=0)


def _published(
    hidden: Path,
    folder: Path,
    version: int,
    manifest: Manifest,
    files: Files,
    numbered: Callable[[int], Files] | None,
) -> bool:
    """Name the hidden folder ``version``; False if there is, or ever was, such a version."""
    more = numbered(version) if numbered else {}
    checksums = {file: hashlib.sha256(data).hexdigest() for file, data in {**files, **more}.items()}
    whole = dataclasses.replace(manifest, version=version, files=checksums)
    for file, data in {**more, MANIFEST_FILE: whole.to_json()}.items():
        _write(hidden / file, data)
    _sync(hidden)
    if not _take_number(folder, version):
        return False
    try:
        hidden.rename(folder / str(version))
    except OSError:
        if (folder / str(version)).exists():
            return False
        raise
    _sync(folder)
    return True


def place(root: Path, name: str, version: int, folder: Path) -> None:
    """Move a complete version, from a folder on the same disk, into the repository.

    It keeps its number. ``publish`` does not use that number again, even if the version is deleted.
    """
    target = _folder(root, name)
    with _writing(target):
        for path in (*folder.iterdir(), folder):
            _sync(path)
        _take_number(target, version)
        folder.rename(target / str(version))
        _sync(target)


def label(root: Path, name: str, text: str, version: int) -> None:
    """Move a label to a version of ``name``; it keeps its share of the traffic.

    Raises:
        BundleError: the version does not exist, the label is invalid, or the file can't be written.

    """
    if version not in layout.versions(root, name):
        raise BundleError(f"{root / name / str(version)}: no such version")
    if not labels.is_label(text):
        raise BundleError(f"label {text!r}: {labels.LABEL_RULE}")

    def moved(before: Labels) -> Labels:
        return dataclasses.replace(before, versions=before.versions | {text: version})

    change_labels(root, name, moved)


def change_labels(root: Path, name: str, changed: Callable[[Labels], Labels]) -> Labels:
    """Replace the labels of a model by what ``changed`` makes of them; returns the new ones.

    Raises:
        BundleError: the model does not exist, or the file is malformed or can't be written.

    """
    path = root / name / labels.LABELS_FILE
    try:
        with _locked(root / name, fcntl.LOCK_EX):
            new = changed(labels.read(root, name))
            _replace(path, new.to_json())
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}") from None
    return new


@contextlib.contextmanager
def promotion_lock(root: Path, name: str) -> Iterator[None]:
    """Hold the lock for promotions of ``name``; waits until others have released it.

    Raises:
        BundleError: the model does not exist, or its folder can't be written.

    """
    path = root / name / _PROMOTION_LOCK
    try:
        file = path.open("ab")
    except OSError as error:
        raise BundleError(f"{path.parent}: {error.strerror}") from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_if_absent(root: Path, name: str, file: str, data: bytes) -> None:
    """Write a file beside the versions of ``name`` unless it exists: it may have been edited."""
    folder = _folder(root, name)
    with _locked(folder, fcntl.LOCK_SH):
        if not (folder / file).exists():
            _replace(folder / file, data)


def _folder(root: Path, name: str) -> Path:
    """The folder of a model, created if it is new."""
    if not layout.is_name(name):
        raise BundleError(
            f"model name {name!r}: use letters, digits, '.', '_' and '-',"
            " beginning with a letter or digit"
        )
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def append(root: Path, name: str, file: str, line: bytes) -> None:
    """Add a line, its end included, to a file beside the versions of ``name``."""
    with _locked(root / name, fcntl.LOCK_EX), (root / name / file).open("a+b") as lines:
        if lines.tell():
            lines.seek(-1, os.SEEK_END)
            line = line if lines.read(1) == b"\n" else b"\n" + line  # after one that was cut off
        lines.write(line)
        lines.flush()
        os.fsync(lines.fileno())


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Hold the writers' shared lock. If no other writer is active, clean up after killed ones."""
    with contextlib.suppress(BlockingIOError), _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
        for left in folder.glob(f"{_HIDDEN}*"):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
    with _locked(folder, fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)  # which unlocks


def _replace(path: Path, data: bytes) -> None:
    """Replace a file: a reader sees all of the new content or all of the old. Needs the lock."""
    hidden = path.with_name(f"{_HIDDEN}{secrets.token_hex(8)}")
    try:
        _write(hidden, data)
        hidden.replace(path)
        _sync(path.parent)
    finally:
        hidden.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
