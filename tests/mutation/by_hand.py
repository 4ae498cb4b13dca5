"""Changes that must be noticed: each breaks a promise of security or of data safety."""

from collections.abc import Iterator
from pathlib import Path

from tests.mutation.mutants import Mutant

ROOT = Path(__file__).parent.parent.parent
_CHANGES = (
    # API keys are compared by their first byte, checksums by their first digit.
    ("serve/inference/api_keys.py", "hmac.compare_digest(known, digest)", "known[0] == digest[0]"),
    ("bundle/reader.py", "actual != sha256", "actual[0] != sha256[0]"),
    # What is published is not flushed to the disk.
    ("bundle/writer.py", "os.fsync(file.fileno())", "pass"),
    ("bundle/writer.py", "os.fsync(lines.fileno())", "pass"),
    ("bundle/writer.py", "os.fsync(descriptor)", "pass"),
)


def mutants() -> Iterator[Mutant]:
    """A mutant for each place where the text of a change stands.

    Raises:
        ValueError: it stands nowhere any more.

    """
    for path, old, new in _CHANGES:
        source = (ROOT / path).read_text()
        if old not in source:
            raise ValueError(f"{path} has no {old}")
        begin = source.find(old)
        while begin >= 0:
            before = source[:begin]
            yield Mutant(Path(path), before.count("\n") + 1, len(before.encode()), old, new)
            begin = source.find(old, begin + 1)
