"""Hypothesis strategies for request bodies: well-formed ones, and ones with changed bytes."""

import base64
import json
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from bundle.manifest import TensorSpec
from serve.models.spec import ModelSpec
from serve.protocols import mlflow, oip, predict, tfserving
from serve.protocols.open_inference import datatypes
from tests.reliability import parsing, table_documents
from tests.reliability.documents import LENGTH, Document

Draw = Callable[[st.SearchStrategy[Any]], Any]

_NUMBER = r"-?(0|[1-9][0-9]{0,22})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?"
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
).map(json.dumps)
_ANY_VALUE = st.from_regex(_NUMBER, fullmatch=True) | st.floats().map(json.dumps) | _JSON
_SPELLINGS = st.sampled_from(["{!r}", "{:e}", "{:.25f}", "{:G}"])
_OTHER_MEMBERS = st.lists(
    st.tuples(st.sampled_from(["id", "index", "inputs", "images", "shape", "x"]), _JSON), max_size=1
)
_CHANGES = st.lists(
    st.tuples(st.integers(0, 2**16), st.integers(0, 3), st.binary(max_size=4)),
    min_size=1,
    max_size=2,
)


@st.composite
def requests(draw: Draw, protocol: Any) -> tuple[Document, ModelSpec]:
    """A body for a protocol with its headers, and the inputs of the model that it is for.

    Half of the bodies are well-formed, the others have up to eight changed bytes.
    """
    model_spec = draw(st.sampled_from(parsing.MODELS))
    if model_spec.table:
        random = draw(st.randoms(use_true_random=False))
        document = table_documents.valid(random, model_spec.table, protocol)
    else:
        document = draw(_WRITERS[protocol](model_spec))
    if draw(st.booleans()):
        for position, removed, inserted in draw(_CHANGES):
            begin = position % (len(document.body) + 1)
            rest = document.body[begin + removed :]
            document.body = document.body[:begin] + inserted + rest
    return document, model_spec


def unstructured(protocol: Any) -> st.SearchStrategy[tuple[Document, ModelSpec]]:
    """Any bytes under any length of the JSON part."""
    headers = st.fixed_dictionaries({}, optional={LENGTH: st.integers(-1, 40).map(str) | st.text()})
    documents = st.builds(Document, st.just(protocol), st.binary(max_size=40), headers)
    return st.tuples(documents, st.sampled_from(parsing.MODELS))


def _object(draw: Draw, members: Iterable[tuple[str, str]]) -> str:
    """A JSON object of keys and JSON texts, perhaps with another member, which may be the first."""
    pairs = draw(st.permutations([*members, *draw(_OTHER_MEMBERS)]))
    return "{" + ", ".join(f"{json.dumps(key)}: {text}" for key, text in pairs) + "}"


def _shape(draw: Draw, spec: TensorSpec, rows: int) -> tuple[int, ...]:
    return (rows, *(draw(st.integers(1, 3)) if size == -1 else size for size in spec.shape[1:]))


def _nested(texts: list[str], shape: tuple[int, ...]) -> str:
    """Values in nested arrays; the number of values is the product of the shape."""
    if not shape:
        return texts[0]
    size = len(texts) // shape[0]
    parts = (texts[begin : begin + size] for begin in range(0, len(texts), size))
    return "[" + ", ".join(_nested(part, shape[1:]) for part in parts) + "]"


def _values(draw: Draw, spec: TensorSpec, count: int) -> list[str]:
    """JSON texts of values that the input accepts; in a few documents one is anything."""
    if spec.dtype == "bool":
        accepted = st.sampled_from(["true", "false"])
    elif spec.dtype.startswith("float"):
        low, high = spec.range or (-1e300, 1e300)
        spelling = draw(_SPELLINGS)
        accepted = st.floats(low, high).map(spelling.format)
    else:
        low, high = int(np.iinfo(spec.dtype).min), int(np.iinfo(spec.dtype).max)
        largest = st.sampled_from([low, low + 1, high - 1, high])  # float64 has not all of these
        accepted = (largest | st.integers(low, high)).map(str)
    values = draw(st.lists(accepted, min_size=count, max_size=count))
    if draw(st.integers(0, 3)) == 0:
        values[draw(st.integers(0, count - 1))] = draw(_ANY_VALUE)
    return values


def _array(draw: Draw, spec: TensorSpec, rows: int) -> str:
    shape = _shape(draw, spec, rows)
    return _nested(_values(draw, spec, math.prod(shape)), shape)


def _raw(draw: Draw, dtype: str, count: int) -> bytes:
    """Bytes of so many elements: any bits, or small numbers."""
    width = np.dtype(dtype).itemsize
    if draw(st.booleans()):
        return bytes(draw(st.binary(min_size=count * width, max_size=count * width)))
    numbers = draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
    return np.array(numbers, dtype).tobytes()


@st.composite
def _predict(draw: Draw, model_spec: ModelSpec) -> Document:
    spec, rows = model_spec.inputs[0], draw(st.integers(1, 3))
    if draw(st.integers(0, 2)) == 0:
        shape = _shape(draw, spec, rows)
        raw = base64.b64encode(_raw(draw, spec.dtype, math.prod(shape))).decode()
        compact = {"b64": json.dumps(raw), "dtype": f'"{spec.dtype}"', "shape": f"{[*shape]}"}
        text = _object(draw, [("images", _object(draw, compact.items()))])
    else:
        text = _object(draw, [("images", _array(draw, spec, rows))])
    return Document(predict, text.encode())


@st.composite
def _table(draw: Draw, model_spec: ModelSpec) -> str:
    """The members ``inputs`` and ``instances`` of TensorFlow Serving."""
    rows = draw(st.integers(1, 3))
    by_name = len(model_spec.inputs) > 1 or draw(st.booleans())
    if not by_name:
        member = draw(st.sampled_from(["inputs", "instances"]))
        return _object(draw, [(member, _array(draw, model_spec.inputs[0], rows))])
    if draw(st.booleans()):
        columns = [(spec.name, _array(draw, spec, rows)) for spec in model_spec.inputs]
        return _object(draw, [("inputs", _object(draw, columns))])
    return _object(draw, [("instances", _records(draw, model_spec, rows))])


def _records(draw: Draw, model_spec: ModelSpec, rows: int) -> str:
    records = []
    for _ in range(rows):
        shapes = {spec.name: _shape(draw, spec, 1)[1:] for spec in model_spec.inputs}
        members = [
            (spec.name, _nested(_values(draw, spec, math.prod(shape)), shape))
            for spec, shape in zip(model_spec.inputs, shapes.values(), strict=True)
        ]
        records.append(_object(draw, members))
    return f"[{', '.join(records)}]"


def _tfserving(model_spec: ModelSpec) -> st.SearchStrategy[Document]:
    return _table(model_spec).map(lambda text: Document(tfserving, text.encode()))


@st.composite
def _mlflow(draw: Draw, model_spec: ModelSpec) -> Document:
    form = draw(st.sampled_from(["table", "dataframe_split", "dataframe_records", "csv"]))
    if form == "table":
        return Document(mlflow, draw(_table(model_spec)).encode())
    rows = draw(st.integers(1, 3))
    spec, *others = model_spec.inputs
    if form == "dataframe_records":
        records = _records(draw, model_spec, rows)
        return Document(mlflow, _object(draw, [(form, records)]).encode())
    width = 1 if len(spec.shape) == 1 else 4
    names = [spec.name] if width == 1 else [f"c{number}" for number in range(width)]
    if form == "csv":
        separator, quote = draw(st.sampled_from([(",", ""), (" ,", ""), (",", '"')]))
        lines = [
            separator.join(f"{quote}{value}{quote}" for value in _values(draw, spec, width))
            for _ in range(rows)
        ]
        text = draw(st.sampled_from(["\n", "\r\n"])).join([",".join(names), *lines])
        return Document(mlflow, text.encode(), {"CONTENT_TYPE": "text/csv"})
    if others:
        names = [one.name for one in model_spec.inputs]
        width = len(names)
    data = _nested(_values(draw, spec, rows * width), (rows, width))
    split = _object(draw, [("columns", json.dumps(names)), ("data", data)])
    return Document(mlflow, _object(draw, [(form, split)]).encode())


@st.composite
def _oip(draw: Draw, model_spec: ModelSpec) -> Document:
    rows = draw(st.integers(1, 3))
    described, parts = [], []
    for spec in model_spec.inputs:
        shape = _shape(draw, spec, rows)
        dtype = spec.dtype
        if draw(st.integers(0, 7)) == 0:
            dtype = draw(st.sampled_from([*datatypes.DTYPES.values()]))
        members = [("name", f'"{spec.name}"'), ("shape", f"{[*shape]}")]
        members.append(("datatype", f'"{datatypes.DATATYPES[dtype]}"'))
        if draw(st.booleans()):
            parts.append(_raw(draw, dtype, math.prod(shape)))
            members.append(("parameters", f'{{"binary_data_size": {len(parts[-1])}}}'))
        else:
            flat = (math.prod(shape),) if draw(st.booleans()) else shape
            members.append(("data", _nested(_values(draw, spec, math.prod(shape)), flat)))
        described.append(_object(draw, members))
    text = _object(draw, [("inputs", f"[{', '.join(described)}]")]).encode()
    headers = {LENGTH: str(len(text))} if parts else {}
    return Document(oip, text + b"".join(parts), headers)


_WRITERS = {predict: _predict, tfserving: _tfserving, mlflow: _mlflow, oip: _oip}
PROTOCOLS = [*_WRITERS]
