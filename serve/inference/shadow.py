"""Shadow traffic: another version computes answers that were sent already, to compare both.

It uses spare time only. What waits for it is limited; more than that is dropped, and counted.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable

import numpy as np

from serve.models.catalog import Catalog
from serve.models.session import Model
from serve.protocols.interface import Tensors

log = logging.getLogger("serve")

MAX_BYTES = 8 * 2**20  # of inputs and outputs that wait
CLOSE = 0.01  # relative difference of two values that count as the same

SAME, DIFFERENT, DROPPED, FAILED = RESULTS = ("same", "different", "dropped", "failed")


class Shadow:
    """Batches that the shadow version of their model has not computed yet."""

    def __init__(self, catalog: Catalog) -> None:
        """Begin without batches; ``catalog`` knows the shadow of each model."""
        self._catalog = catalog
        self.on_result: Callable[[Model, Model, str, int], None] = lambda *_: None
        """Called with the model that answered, its shadow, the result, and how many rows."""
        self._waiting: deque[tuple[Model, Model, Tensors, Tensors, int]] = deque()
        self._bytes = 0
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def offer(self, model: Model, inputs: Tensors, outputs: Tensors) -> None:
        """Take a batch that ``model`` has answered, if another version shadows it."""
        versions = self._catalog.models.get(model.spec.name)
        shadow = versions.shadow if versions else None
        if shadow is None or shadow is model or not _are_comparable(model, shadow):
            return
        rows = len(next(iter(inputs.values())))
        size = _bytes(inputs) + _bytes(outputs)
        with self._lock:
            fits = self._bytes + size <= MAX_BYTES
            if fits:
                self._bytes += size
                self._waiting.append((model, shadow, inputs, outputs, rows))
        if not fits:
            self.on_result(model, shadow, DROPPED, rows)

    def run_next(self) -> None:
        """Compute the oldest batch with the shadow version, and count its rows."""
        with self._lock:
            if not self._waiting:
                return
            model, shadow, inputs, outputs, rows = self._waiting.popleft()
            self._bytes -= _bytes(inputs) + _bytes(outputs)
        try:
            same = agreement(outputs, shadow.run(dict(inputs)), model)
        except Exception:  # it may fail where the other version does not
            log.exception("%s failed on a batch of %s", shadow, model)
            self.on_result(model, shadow, FAILED, rows)
            return
        self.on_result(model, shadow, SAME, same)
        self.on_result(model, shadow, DIFFERENT, rows - same)


def agreement(outputs: Tensors, others: Tensors, model: Model) -> int:
    """For how many rows two versions agree.

    They agree on a class if it has the largest value in both first outputs, and on other values if
    these differ by at most one percent.
    """
    name = model.spec.output_names[0]
    one, other = outputs[name], others[name]
    if one.ndim == 2 and one.shape[1] > 1:
        return int(np.count_nonzero(one.argmax(axis=1) == other.argmax(axis=1)))
    if one.dtype.kind == "f":
        close = np.isclose(one, other, rtol=CLOSE, equal_nan=True)
    else:  # integers, truth values and texts
        close = one == other
    return int(np.count_nonzero(close.reshape(len(one), -1).all(axis=1)))


def _are_comparable(model: Model, shadow: Model) -> bool:
    """Do both take the same inputs, and give the same outputs?"""
    return (_tensors(model), model.spec.labels) == (_tensors(shadow), shadow.spec.labels)


def _tensors(model: Model) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(one.name, one.dtype, one.shape) for one in (*model.spec.inputs, *model.spec.outputs)]


def _bytes(tensors: Tensors) -> int:
    return sum(array.nbytes for array in tensors.values())
