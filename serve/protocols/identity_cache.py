"""A cache for values that belong to an object and a key; the object is found by its identity."""

from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class IdentityCache(Generic[V]):
    """Up to so many values, each for an object and a key."""

    def __init__(self, most: int = 128) -> None:
        self._most = most
        self._known: dict[tuple[int, Hashable], tuple[object, V]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def find(self, owner: object, key: Hashable) -> V | None:
        """The cached value; None if there is none."""
        known = self._known.get((id(owner), key))
        return known[1] if known else None

    def keep(self, owner: object, key: Hashable, value: V) -> None:
        """Cache a value. If there are too many, all others are dropped first."""
        if len(self._known) >= self._most:
            self._known.clear()
        # The id of the owner is the key, because hashing a model spec takes long. The owner is kept
        # too, so that no other object gets its id.
        self._known[id(owner), key] = owner, value
