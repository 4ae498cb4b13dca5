"""Documents of every protocol: some as they should be, some not quite, and some broken."""

import json
import math
from dataclasses import dataclass, field
from random import Random
from types import ModuleType

from bundle.manifest import TensorSpec
from serve.models.spec import ModelSpec
from serve.protocols import mlflow, oip, predict, tfserving
from serve.protocols.open_inference import datatypes
from tests.number_kernel import numbers

_SCORES = TensorSpec(name="scores", dtype="float32", shape=(-1, 2))
_DTYPES = (
    *("float32", "float32", "float64", "uint8", "uint8", "int8", "int16", "int32", "int64"),
    *("uint16", "uint32", "uint64", "float16"),
)
_SHAPES = ((-1, 4), (-1, 9), (-1, 16), (-1, 12), (-1, 10), (-1, 2, 5), (3, 4), (-1, 3), (-1,))
_RANGES = (None, None, (0, 255), (-1, 1), (0.1, 1.9), (1, 100))
SPECS = [
    TensorSpec(name=name, dtype=dtype, shape=shape, range=limits)
    for name in ("image", "x")
    for dtype in _DTYPES
    for shape in _SHAPES
    for limits in _RANGES
]
SIGNATURES = [ModelSpec("m", 1, (spec,), (_SCORES,)) for spec in SPECS]
MAX_ROWS = 6


@dataclass(frozen=True)
class Document:
    """A body, and who is to read it for what model."""

    protocol: ModuleType
    model_spec: ModelSpec
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Writer:
    """Writes one document, as a random generator will have it."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._signature = random.choice(SIGNATURES)
        self._spec = self._signature.inputs[0]
        self._comma = random.choice((",", ",", ", ", " ,\n\t"))
        self._wrong = random.choice((0, 0, 0, 0.01))
        self._notation = random.choice(numbers.NOTATIONS)
        # Mostly numbers that the input takes: one that it does not, and all others are in vain.
        low, high = self._spec.range or (-100, 100)
        self._low, self._high = max(low, 0) if self._spec.dtype[0] == "u" else low, high
        self._format = random.choice(("{:.3f}", "{:.6e}", "{!r}", "{:.0f}", "{:.25f}"))
        self._fitting = random.random() < 0.7
        self._strange = 0.1 if self._spec.dtype[0] == "f" and random.random() < 0.4 else 0

    def write(self) -> Document:
        """Write it."""
        protocol, text = self._random.choice(
            (self._predict, self._oip, self._tfserving, self._mlflow)
        )()
        body = text.encode()
        if self._random.random() < 0.15:
            body = self._break(body)
        return Document(protocol, self._signature, body)

    def _number(self) -> str:
        if self._random.random() < self._wrong:
            return self._random.choice(numbers.WRONG)
        if self._fitting and self._random.random() >= self._strange:
            if self._spec.dtype[0] == "f":
                if self._low <= 0 and self._random.random() < 0.4:
                    return self._random.choice(("0", "0", "0", "0.0"))
                return self._format.format(self._random.uniform(self._low, self._high))
            return str(self._random.randrange(math.ceil(self._low), math.floor(self._high) + 1))
        if self._random.random() < 0.3:
            return self._random.choice(("0", "0", "0", "1", "0.0", "255", "12"))
        return self._notation(self._random)

    def _array(self, shape: tuple[int, ...]) -> str:
        count, *inner = shape
        if self._random.random() < 0.01:
            count += self._random.choice((-1, 1))
        run = self._random.random() < 0.05
        texts = (self._array(tuple(inner)) if inner else self._number() for _ in range(count))
        text = self._comma.join(["0"] * count if run and not inner else texts)
        return f"[{self._space()}{text}{self._space()}]"

    def _space(self) -> str:
        return self._random.choice(("",) * 20 + (" ", "\n", "\t\r "))

    def _rows(self) -> int:
        fixed = self._signature.fixed_rows
        return fixed if fixed and self._random.random() < 0.9 else self._random.randrange(1, 8)

    def _batch(self) -> str:
        return self._array((self._rows(), *self._spec.shape[1:]))

    def _object(self, members: dict[str, str]) -> str:
        """An object of JSON texts by key, with what may be beside them."""
        if self._random.random() < 0.1:
            members = {**members, "more": self._extra()}
        if self._random.random() < 0.1:
            members = {"first": self._extra(), **members}
        pairs = [f'"{key}"{self._space()}:{self._space()}{text}' for key, text in members.items()]
        if self._random.random() < 0.03:
            pairs.append(self._random.choice(pairs))
        if self._random.random() < 0.2:
            self._random.shuffle(pairs)
        return "{" + self._comma.join(pairs) + "}"

    def _extra(self) -> str:
        odd = ('"a [1, 2] text"', '"\\u0041 \\" ["', "{}", "[]", "[[]]", "null", "[1, 2]", '["a"]')
        choices = (*odd, self._array((self._random.randrange(1, 17),)), '"[0,0,0,0]"', '"\\\\"')
        return self._random.choice(choices)

    def _predict(self) -> tuple[ModuleType, str]:
        shape = self._spec.shape[1:]
        if self._random.random() < 0.2 and shape in ((4,), (9,), (16,)):
            side = int(shape[0] ** 0.5)
            shape = (side, side)
        if self._random.random() < 0.3:
            return predict, self._object({"image": self._array(shape) if shape else "[1]"})
        return predict, self._object({"images": self._array((self._rows(), *shape))})

    def _oip(self) -> tuple[ModuleType, str]:
        rows = self._rows()
        shape = (rows, *self._spec.shape[1:])
        size = 1
        for length in shape:
            size *= length
        flat = self._random.random() < 0.5
        same = self._random.random() < 0.9
        datatype = datatypes.DATATYPES[self._spec.dtype if same else self._random.choice(_DTYPES)]
        tensor = {
            "name": json.dumps(self._spec.name),
            "shape": json.dumps(shape),
            "datatype": json.dumps(datatype),
            "data": self._array((size,) if flat else shape),
        }
        document = {"inputs": f"[{self._object(tensor)}]"}
        if self._random.random() < 0.3:
            document = {"id": json.dumps(str(self._random.random())), **document}
        if self._random.random() < 0.2:
            document["outputs"] = '[{"name": "scores", "parameters": {"binary_data": true}}]'
        return oip, self._object(document)

    def _tfserving(self) -> tuple[ModuleType, str]:
        named = self._random.random() < 0.4
        if self._random.random() < 0.5:
            inputs = self._batch()
            return tfserving, self._object(
                {"inputs": self._object({self._spec.name: inputs}) if named else inputs}
            )
        if not named:
            return tfserving, self._object({"instances": self._batch()})
        return tfserving, self._object({"instances": self._records()})

    def _records(self) -> str:
        shape = self._spec.shape[1:]
        rows = (
            self._object({self._spec.name: self._array(shape) if shape else self._number()})
            for _ in range(self._rows())
        )
        return f"[{self._comma.join(rows)}]"

    def _mlflow(self) -> tuple[ModuleType, str]:
        form = self._random.choice(("inputs", "instances", "dataframe_split", "dataframe_records"))
        if form in ("inputs", "instances"):
            return mlflow, self._object({form: self._batch()})
        if form == "dataframe_records":
            return mlflow, self._object({form: self._records()})
        rows = self._rows()
        width = self._spec.shape[-1] if len(self._spec.shape) > 1 else 1
        split = {
            "columns": json.dumps([str(column) for column in range(width)]),
            "index": json.dumps(list(range(rows))),
            "data": self._array((rows, width)),
        }
        if self._random.random() < 0.3:
            del split["index"]
        return mlflow, self._object({form: self._object(split)})

    def _break(self, body: bytes) -> bytes:
        """Change, remove, insert or repeat bytes somewhere."""
        begin = self._random.randrange(len(body))
        end = begin + self._random.choice((0, 1, 1, 2, 8, len(body)))
        odd = (b"", b"]", b"[", b"}", b"{", b",", b'"', b"\\", b"0", b"-", b".", b"e", b" ", b"\0")
        inserted = self._random.choice((*odd, b"\xff", b"[]", b"0,0,0,0,", body[begin:end] * 2))
        return body[:begin] + inserted + body[end:]


def write(random: Random) -> Document:
    """Write one document."""
    return Writer(random).write()
