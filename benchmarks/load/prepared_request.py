"""Requests that are encoded before they are sent, and what their answers must say."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.load.golden_rows import Digits
from benchmarks.load.protocols import DIALECTS, Dialect, Model, Request

SIZES = (1, 8, 32, 64, 256)  # rows of a request
MIX = {1: 50, 8: 20, 32: 15, 64: 10, 256: 5}
"""Of 100 requests in a mix, how many have so many rows: 26.1 rows on average."""
MIXED = "mix"
_ROUND = 10_000  # requests after which a user begins anew; a mix has its shares exactly in each
_SEED = 7
_VARIETY = 8  # requests of a size, each of other digits: answers that are mixed up are seen


@dataclass(frozen=True)
class Letter:
    """One request and its right answer."""

    name: str
    """Under which its figures are kept, such as ``predict x 32``."""
    rows: int
    request: Request
    expected: list[int]
    dialect: Dialect

    def fault(self, content: bytes | None) -> str | None:
        """What is wrong with an answer's body."""
        try:
            told = list(self.dialect.classes(content or b"", self.rows))
        except (ValueError, KeyError, TypeError, IndexError):
            return f"no answer of this dialect: {(content or b'')[:80]!r}"
        if told == self.expected:
            return None
        wrong = sum(one != other for one, other in zip(told, self.expected, strict=False))
        return f"{wrong} of {self.rows} rows are wrong" if wrong else f"{len(told)} rows came"


def users_class(dialect: str, rows: int) -> str:
    """The locustfile's class of closed users who send so many rows."""
    return "".join(part.title() for part in dialect.split("-")) + str(rows)


class Stock:
    """Letters of each dialect and size, encoded when they are first asked for.

    Args:
        digits: what is sent.
        model: what is asked.
        first: the number of its first user. Each user has an order of its own, the same in each
            test, so that users don't send their large requests together.

    """

    def __init__(self, digits: Digits, model: Model, first: int = 0) -> None:
        self._digits = digits
        self._model = model
        self._users = itertools.count(first)
        self._letters: dict[tuple[str, int], list[Letter]] = {}

    def letters(self, dialect: str, rows: int) -> list[Letter]:
        """All of one dialect and size."""
        key = (dialect, rows)
        if key not in self._letters:
            self._letters[key] = [self._letter(*key, turn) for turn in range(_VARIETY)]
        return self._letters[key]

    def endless(self, dialect: str, rows: int | None) -> Iterator[Letter]:
        """One letter after the other for a new user, in sizes by ``MIX`` where ``rows`` is None."""
        if rows is not None:
            return itertools.cycle(self.letters(dialect, rows))
        random = np.random.default_rng([_SEED, next(self._users)])
        counts = np.array(list(MIX.values())) * _ROUND // sum(MIX.values())
        sizes = random.permutation(np.repeat(list(MIX), counts)).tolist()
        turns = random.integers(_VARIETY, size=len(sizes)).tolist()
        order = zip(sizes, turns, strict=True)
        return itertools.cycle([self.letters(dialect, size)[turn] for size, turn in order])

    def _letter(self, dialect: str, rows: int, turn: int) -> Letter:
        sent = self._digits.some(rows, turn)
        written = DIALECTS[dialect].request(sent.images, self._model)
        return Letter(f"{dialect} x {rows}", rows, written, sent.labels.tolist(), DIALECTS[dialect])
