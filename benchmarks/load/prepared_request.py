"""Requests that are encoded before a load begins, and the answers that they must get."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.load import protocols
from benchmarks.load.golden_rows import GoldenModel, GoldenRows
from benchmarks.load.protocols import PROTOCOLS, Model, Protocol, Request

SIZES = (1, 8, 32, 64, 256)  # rows of a request
MIX = {1: 50, 8: 20, 32: 15, 64: 10, 256: 5}
"""Of 100 requests in a mix, how many have so many rows: 26.1 rows on average."""
MIXED = "mix"
_CYCLE = 10_000  # requests after which a user begins again; each cycle has the shares exactly
_SEED = 7
_VARIANTS = 8  # requests of a size, each of other rows, so that mixed-up answers are noticed


@dataclass(frozen=True)
class PreparedRequest:
    """A request and its correct answer."""

    name: str
    """Under which its figures are kept, such as ``predict x 32``."""
    rows: int
    request: Request
    expected: GoldenRows
    protocol: Protocol
    model: Model

    def fault(self, content: bytes | None) -> str | None:
        """What is wrong with an answer's body; None if it is correct."""
        try:
            outputs = self.protocol.outputs(content or b"", self.model)
            for name, values in zip(self.model.outputs, outputs, strict=True):
                expected = self.expected.outputs[name]
                got = np.asarray(values, np.float64).reshape(-1)
                if got.size != expected.size:
                    return f"{got.size} values instead of {expected.size}"
                near = np.abs(got - expected.reshape(-1)) <= self.expected.tolerance
                if not near.all():  # also if one is NaN
                    wrong = (~near.reshape(self.rows, -1)).any(axis=1).sum()
                    return f"{wrong} of {self.rows} rows are wrong"
        except (ValueError, KeyError, TypeError, IndexError):
            return f"not an answer of this protocol: {(content or b'')[:80]!r}"
        return None


def users_class(protocol: str, rows: int) -> str:
    """The locustfile's class of closed users who send so many rows."""
    return "".join(part.title() for part in protocol.split("-")) + str(rows)


def prepare(
    protocol: str, model: Model, golden: GoldenRows, rows: int, first: int = 0
) -> PreparedRequest:
    """Encode one request of golden rows, the first of them number ``first``.

    Raises:
        BenchmarkError: the protocol has no form for such a model.

    """
    if fault := protocols.check_supported(protocol, golden.inputs, golden.outputs):
        raise BenchmarkError(fault)
    sent, form = golden.some(rows, first), PROTOCOLS[protocol]
    request = form.request(sent.inputs, model)
    return PreparedRequest(f"{protocol} x {rows}", rows, request, sent, form, model)


def mean_body_bytes(protocol: str, golden: GoldenModel, sizes: Mapping[int, float]) -> float:
    """Bytes of the body of a request, on average over sizes in rows and their shares."""
    return sum(
        share * len(prepare(protocol, golden.model, golden.rows, rows).request.body)
        for rows, share in sizes.items()
    )


class RequestPool:
    """Requests of each protocol and size, encoded when they are first needed.

    Args:
        model: that is asked.
        golden: what is sent.
        first_user: number of its first user. Each user has an order of its own, the same in each
            test, so that users do not send their large requests together.

    """

    def __init__(self, model: Model, golden: GoldenRows, first_user: int = 0) -> None:
        self._model = model
        self._golden = golden
        self._users = itertools.count(first_user)
        self._requests: dict[tuple[str, int], list[PreparedRequest]] = {}

    def requests(self, protocol: str, rows: int) -> list[PreparedRequest]:
        """All of one protocol and size."""
        key = (protocol, rows)
        if key not in self._requests:
            self._requests[key] = [
                prepare(protocol, self._model, self._golden, rows, first)
                for first in range(_VARIANTS)
            ]
        return self._requests[key]

    def endless(self, protocol: str, rows: int | None) -> Iterator[PreparedRequest]:
        """Requests for a new user, in sizes by ``MIX`` where ``rows`` is None."""
        if rows is not None:
            return itertools.cycle(self.requests(protocol, rows))
        random = np.random.default_rng([_SEED, next(self._users)])
        counts = np.array(list(MIX.values())) * _CYCLE // sum(MIX.values())
        sizes = random.permutation(np.repeat(list(MIX), counts)).tolist()
        variants = random.integers(_VARIANTS, size=len(sizes)).tolist()
        order = zip(sizes, variants, strict=True)
        return itertools.cycle([self.requests(protocol, size)[variant] for size, variant in order])
