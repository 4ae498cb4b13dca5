"""Runs the calls of one client, and tells which work; for the scripts beside it.

Each script is run by the interpreter of its client's environment, as
``python -m tests.wire.tritonclient_calls URL DIGITS``, and prints one JSON object: the name of
each call -> what went wrong, empty where nothing did.
"""

import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

ADMIN_KEY = "key of an administrator"
"""Who brings it may load and unload models."""


@dataclass(frozen=True)
class Target:
    """What a call is made to, and what must come back."""

    url: str
    """As ``http://127.0.0.1:8080``."""
    images: np.ndarray[Any, np.dtype[np.uint8]]
    """Shape (4, 784)."""
    digits: tuple[int, ...]
    """What the model says they are, by ``/predict``."""


Call = Callable[[Target], None]


def main(calls: dict[str, Call]) -> None:
    """Make every call, each by itself."""
    url, path, digits = sys.argv[1:]
    with np.load(path) as archive:
        images = archive["x_test"].reshape(-1, 784)[:4].astype(np.uint8)
    target = Target(url, images, tuple(json.loads(digits)))
    print(json.dumps({name: _why_not(call, target) for name, call in calls.items()}))


def _why_not(call: Call, target: Target) -> str:
    try:
        call(target)
    except Exception:
        return traceback.format_exc(limit=-2)
    return ""
