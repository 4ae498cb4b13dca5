"""API keys; the server knows only their SHA-256.

The file has one line for each key: its SHA-256 in hex, white space, and a name for the logs. Empty
lines and lines that begin with ``#`` are ignored. Keys are long and random, so one round of a fast
hash is enough.
"""

import hashlib
import hmac
import logging
import re
import time
from collections.abc import Mapping
from pathlib import Path

from serve.errors import StartError, Unauthorized

log = logging.getLogger("serve")

CHECK_SECONDS = 1.0  # seconds between two checks whether the file has changed
_LINE = re.compile(r"([0-9a-fA-F]{64})\s+(\S.{0,99})")


class ApiKeys:
    """The keys in a file, which is read again when it changes."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            StartError: it can't be read, a line is malformed, or it contains no key.

        """
        self._path = path
        self._state = _state(path)
        self._looked = time.monotonic()
        self._names = _read(path)
        if not self._names:
            raise StartError(f"{path}: contains no key; docs/serving.md says how to create one")

    def check(self, headers: Mapping[str, str]) -> str:
        """Name of the key that a request has.

        Args:
            headers: by their names in WSGI, without ``HTTP_``.

        Raises:
            Unauthorized: it has no key, or an unknown one.

        """
        self._look()
        scheme, _, credentials = headers.get("AUTHORIZATION", "").partition(" ")
        bearer = credentials.strip() if scheme.lower() == "bearer" else ""
        key = headers.get("X_API_KEY") or bearer  # Authorization may be meant for a proxy
        if not key:
            raise Unauthorized(
                "expected a key, as Authorization: Bearer KEY or X-API-Key: KEY; got none"
            )
        digest = hashlib.sha256(key.encode("latin-1")).digest()
        found = ""
        for (
            known,
            name,
        ) in self._names.items():  # all of them, so that the time does not depend on the key
            if hmac.compare_digest(known, digest):
                found = name
        if not found:
            raise Unauthorized("this key is not known")
        return found

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < CHECK_SECONDS:
            return
        self._looked = now
        state = _state(self._path)
        if state == self._state:
            return
        self._state = state
        try:
            self._names = _read(self._path)
            log.info("%s: reloaded, %s keys", self._path, len(self._names))
        except StartError as error:
            log.error("%s; the previous keys stay valid", error)


def _state(path: Path) -> tuple[int, ...] | None:
    """A value that changes whenever the file does; None if there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _read(path: Path) -> dict[bytes, str]:
    """Map the SHA-256 of each key to its name."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise StartError(f"{path}: {reason}") from None
    names = {}
    for number, line in enumerate(lines, 1):
        if not (text := line.strip()) or text.startswith("#"):
            continue
        if not (found := _LINE.fullmatch(text)):
            raise StartError(
                f"{path}, line {number}: expected the SHA-256 of a key in hex, then a name"
            )
        names[bytes.fromhex(found[1])] = found[2]
    return names
