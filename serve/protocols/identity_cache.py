"""What was worked out before, kept for the next time."""

from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class IdentityCache(Generic[V]):
    """Up to so many values, each by an object that it was worked out for and a key."""

    def __init__(self, most: int = 128) -> None:
        self._most = most
        self._known: dict[tuple[int, Hashable], tuple[object, V]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def find(self, owner: object, key: Hashable) -> V | None:
        """The value that was kept for them; None for none."""
        known = self._known.get((id(owner), key))
        return known[1] if known else None

    def keep(self, owner: object, key: Hashable, value: V) -> None:
        """Keep a value. Where there are too many, all others are forgotten."""
        if len(self._known) >= self._most:
            self._known.clear()
        # The owner is known by its id, for to hash a signature takes long. It is kept as well, so
        # that no other object gets that id.
        self._known[id(owner), key] = owner, value
