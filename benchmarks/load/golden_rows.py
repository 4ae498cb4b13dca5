"""The digits that are sent: those of the test set that the served model knows.

No model knows all of them, and a load test is to find wrong answers, not difficult digits. So the
server is asked once before; afterwards, each answer has to be the label that the data set gives.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import numpy as np
from numpy.typing import NDArray

from benchmarks.errors import BenchmarkError
from benchmarks.load import protocols
from benchmarks.load.protocols import DIALECTS, Images, Model
from train.data import datasets, mnist

ASKED = 1024
_BATCH = 64
_LEAST = 0.5  # of them; a model of other data than these knows fewer
_SECONDS = 30


@dataclass(frozen=True)
class Digits:
    """Images and what they show."""

    images: Images
    labels: NDArray[np.int64]

    def some(self, rows: int, turn: int) -> "Digits":
        """So many of them in a row, beginning elsewhere at each turn, around the end if need be."""
        chosen = np.arange(turn * rows, (turn + 1) * rows) % len(self.labels)
        return Digits(self.images[chosen], self.labels[chosen])

    def answered(self, ask: Callable[[Images], list[int]]) -> "Digits":
        """Those whose label ``ask`` gives.

        Raises:
            BenchmarkError: that is fewer than half of them.

        """
        answers: list[int] = []
        for start in range(0, len(self.labels), _BATCH):
            answers += ask(self.images[start : start + _BATCH])
        right = np.array(answers) == self.labels
        if right.mean() < _LEAST:
            raise BenchmarkError(
                f"the served model is right on {right.sum()} of {right.size} test digits: it was"
                " trained on other data, which --data can name"
            )
        return Digits(self.images[right], self.labels[right])


def read(source: Path) -> Digits:
    """The first test digits of a data set as training takes it, or of MNIST, cached in a folder.

    Raises:
        TrainError: it can't be read, and MNIST can't be had.

    """
    own = source.suffix == ".npz" or any(source.glob("*-images-idx3-ubyte*"))
    dataset = datasets.read(source) if own else mnist.load(source)
    return Digits(dataset.x_test[:ASKED].astype(np.uint8), dataset.y_test[:ASKED])


def known(host: str, model: Model, digits: Digits) -> Digits:
    """Those that the model which ``host`` serves at ``/predict`` knows."""

    def ask(images: Images) -> list[int]:
        wanted = DIALECTS["predict"].request(images, model)
        answer = _ask(host + wanted.path, wanted.body)
        answering = _read(host, answer).get("model")
        if answering != model.name:
            raise BenchmarkError(
                f"{host}{wanted.path} answers with {answering}, not with {model.name}: the server's"
                " --name says with which"
            )
        return DIALECTS["predict"].classes(answer, len(images))

    return digits.answered(ask)


def served(host: str, name: str) -> tuple[Model, dict[str, Any]]:
    """What requests to a model have to name, and all that the server tells of it.

    Raises:
        BenchmarkError: it is not served there, or its input is no image.

    """
    metadata = _read(host, _ask(f"{host}/v2/models/{name}"))
    inputs = metadata.get("inputs", [])
    if [one["shape"][1:] for one in inputs] != [[datasets.FEATURES]]:
        raise BenchmarkError(
            f"{name} takes {[one['shape'] for one in inputs]}; this load has images of"
            f" [-1, {datasets.FEATURES}]"
        )
    (spec,) = inputs
    return Model(name, spec["name"], spec["datatype"]), metadata


def _read(host: str, answer: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(answer))
    except (ValueError, TypeError):
        raise BenchmarkError(f"{host} is another server: it answers {answer[:80]!r}") from None


def _ask(url: str, body: bytes | None = None) -> bytes:
    try:
        with urlopen(Request(url, body, protocols.JSON), timeout=_SECONDS) as answer:  # noqa: S310
            content: bytes = answer.read()
            return content
    except HTTPError as error:
        with error:
            said = error.read(300).decode(errors="replace")
        raise BenchmarkError(f"{url} answers {error.code}: {said}") from None
    except (URLError, OSError, ValueError) as error:
        raise BenchmarkError(f"{url}: {getattr(error, 'reason', error)}") from None
