"""Which version answers a request that names none, where the labels share the traffic.

The same session always gets the same version, also on another worker or server: its key alone
decides. If a share grows, the sessions that had its version keep it.
"""

import bisect
import hashlib
import itertools
import random
from collections.abc import Mapping

from serve.models.session import Model
from serve.versions.serving_plan import PlannedModel

KEYS = ("X_SESSION_ID", "X_REQUEST_ID")
"""Headers whose first present value is the key, by their names in WSGI, without ``HTTP_``."""


class Traffic:
    """The shares of one model."""

    def __init__(self, name: str, ready: Mapping[int, Model], planned: PlannedModel) -> None:
        """Take the shares of the labels whose versions this process has loaded.

        Args:
            name: of the model.
            ready: its loaded versions.
            planned: has labels and weights.

        """
        shares = [
            (ready[planned.labels[label]], weight)
            for label, weight in sorted(planned.weights.items())
            if planned.labels[label] in ready
        ]
        self._prefix = f"{name}:".encode()
        self._models = [model for model, _ in shares]
        self._ends = list(itertools.accumulate(weight for _, weight in shares))

    def __bool__(self) -> bool:
        return bool(self._models)

    def choose(self, headers: Mapping[str, str]) -> Model:
        """Choose a version: at random for a request without a key."""
        key = next(filter(None, map(headers.get, KEYS)), None)
        if key is None:
            share = random.random()  # noqa: S311 - nothing is secret
        else:
            # Not a CRC: those of two models differ by a constant, so their sessions would match.
            text = self._prefix + key.encode(errors="replace")
            digest = hashlib.sha256(text).digest()[:4]
            share = int.from_bytes(digest) / 2**32
        return self._models[bisect.bisect_right(self._ends, share * self._ends[-1])]
