"""Open Inference Protocol V2 over REST, with the binary tensor data extension.

Spoken by KServe, Triton, MLServer and OpenVINO Model Server. Sources: the protocol's
specification (open-inference-protocol, inference_rest.md) and Triton's
extension_binary_data.md.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import simdjson
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve.errors import BadRequest, Unsupported, quoted
from serve.models.spec import ModelSpec
from serve.protocols import tensors
from serve.protocols.identity_cache import IdentityCache
from serve.protocols.interface import DecodedRequest, Tensors, error_body
from serve.protocols.open_inference import binary_tensor
from serve.protocols.open_inference.binary_tensor import BinaryTensor
from serve.protocols.open_inference.datatypes import BYTES, DATATYPES, DTYPES
from serve.protocols.open_inference.features_reader import FeaturesReader
from serve.protocols.open_inference.members import member, parameter
from serve.protocols.reading import json_arrays, json_document
from serve.protocols.reading.json_arrays import Arrays
from serve.protocols.response import JSON, Response

HEAD_LENGTH = "Inference-Header-Content-Length"
_HEAD_LENGTH = HEAD_LENGTH.upper().replace("-", "_")
BINARY = "application/octet-stream"
_NO_BYTES = memoryview(b"")
_MOST_SIZES = 64  # of a shape; numpy has no more dimensions

_OF_DTYPES = {np.dtype(name): datatype for datatype, name in DTYPES.items()}
_OF_DTYPES[np.dtype(object)] = BYTES

refuse = error_body
_LONGEST_REMEMBERED = 2048  # bytes of JSON


@dataclass(slots=True)
class InferRequest(DecodedRequest):
    """What was asked, and how it is to be answered."""

    id: str | None = None
    wanted: tuple[tuple[str, bool], ...] = ()
    """Name of each output, and whether it goes as bytes."""


def parse(
    body: bytes, headers: Mapping[str, str], model_spec: ModelSpec, max_rows: int
) -> InferRequest:
    """See ``InferenceProtocol.parse``."""
    if (length := headers.get(_HEAD_LENGTH)) is None:
        return json_document.read(body, model_spec, max_rows, _read_json, flat=True)
    return _read_binary(*_split(body, length), model_spec, max_rows)


# A client sends the same JSON again and again, with other bytes behind it.
_remembered: IdentityCache[tuple[Callable[[Tensors], InferRequest], list[BinaryTensor]]] = (
    IdentityCache()
)


def _read_binary(
    head: bytes, rest: memoryview, model_spec: ModelSpec, max_rows: int
) -> InferRequest:
    key = head, len(rest), max_rows
    if known := _remembered.find(model_spec, key):
        make, binary = known
        return make({tensor.spec.name: tensor.take(rest) for tensor in binary})
    arrays = json_document.arrays_of(head, model_spec)
    reader = _Reader(arrays, rest, model_spec, max_rows)
    request = reader.read()
    if len(reader.binary) == len(request.inputs) and len(head) <= _LONGEST_REMEMBERED:
        _remembered.keep(model_spec, key, (json_document.template_renderer(request), reader.binary))
    return request


def _read_json(arrays: Arrays, model_spec: ModelSpec, max_rows: int) -> InferRequest:
    return _Reader(arrays, _NO_BYTES, model_spec, max_rows).read()


def render(request: DecodedRequest, outputs: Tensors, model_spec: ModelSpec) -> Response:
    """Answer ``request`` with the outputs that it asks for, in JSON or as bytes."""
    assert isinstance(request, InferRequest)  # noqa: S101 - made by ``parse``
    described, parts = [], []
    for name, binary in request.wanted:
        array = outputs[name]
        tensor: dict[str, Any] = {
            "name": name,
            "datatype": _OF_DTYPES[array.dtype],
            "shape": array.shape,
        }
        if binary:
            data = binary_tensor.encode(array)
            tensor["parameters"] = {"binary_data_size": len(data)}
            parts.append(data)
        else:
            tensor["data"] = array.ravel().tolist() if array.dtype.kind == "O" else array.ravel()
        described.append(tensor)
    response: dict[str, Any] = {
        "model_name": model_spec.name,
        "model_version": model_spec.id[1],
    }
    if request.id is not None:
        response["id"] = request.id
    response["outputs"] = described
    head = orjson.dumps(response, option=orjson.OPT_SERIALIZE_NUMPY)
    if not parts:
        return Response(200, head, JSON)
    return Response(200, b"".join((head, *parts)), BINARY, ((HEAD_LENGTH, str(len(head))),))


class _Reader:
    """Reads one request, whose tensors are in the JSON or in the bytes behind it."""

    def __init__(
        self, arrays: Arrays, rest: memoryview, model_spec: ModelSpec, max_rows: int
    ) -> None:
        self.binary: list[BinaryTensor] = []
        """The tensors that came as bytes."""
        self._arrays = arrays
        self._rest = rest
        self._taken = 0
        self._signature = model_spec
        self._max_rows = max_rows

    def read(self) -> InferRequest:
        """Read all of it; nothing may be left over."""
        model_spec = self._signature
        document = json_arrays.parse(self._arrays.body)
        inputs = member(document, "inputs", simdjson.Array, "the body")
        taken = self._features(inputs) or self._inputs(inputs)
        request = InferRequest(taken, tensors.check_equal_rows(taken))
        keys = json_arrays.keys(document)
        self._arrays.check(1 + len(inputs) + ("outputs" in keys))
        if left := len(self._rest) - self._taken:
            raise BadRequest(f"{left} bytes too many follow the JSON")
        _read_wishes(request, document, keys, model_spec)
        return request

    def _inputs(self, elements: simdjson.Array) -> Tensors:
        """Take a tensor for each input of the model, in the order of the bytes that follow."""
        model_spec = self._signature
        if len(elements) != len(model_spec.inputs):
            raise BadRequest(f"expected {len(model_spec.inputs)} inputs, got {len(elements)}")
        named = {member(tensor, "name", str, "an input"): tensor for tensor in elements}
        tensors.check_names(named.keys(), model_spec)
        return {name: self._take(named[name], model_spec.by_name[name]) for name in named}

    def _features(self, elements: simdjson.Array) -> Tensors:
        """Take a tensor for each feature of a table; nothing if they are not sent like this."""
        table = self._signature.table
        if table is None or not len(elements) or len(elements) > 2 * len(table.names):
            return {}
        named = [(member(tensor, "name", str, "an input"), tensor) for tensor in elements]
        if not table.is_named_in([name for name, _ in named]):
            return {}
        reader = FeaturesReader(self._rest, table, self._signature, self._max_rows)
        batch = reader.read(named)
        self._taken = reader.taken
        return {table.name: batch}

    def _take(self, tensor: Any, spec: TensorSpec) -> NDArray[Any]:
        """Take one tensor, as the model's input takes it."""
        datatype = member(tensor, "datatype", str, spec.name)
        dtype = DTYPES.get(datatype)
        if dtype is None:
            raise BadRequest(
                f"{spec.name}: datatype {quoted(datatype)} is not served; {', '.join(DTYPES)} are"
            )
        shape = _shape(member(tensor, "shape", simdjson.Array, spec.name), spec)
        tensors.check_rows(shape[0], self._max_rows, self._signature)
        size = parameter(tensor, "binary_data_size", spec.name)
        if size is not None:
            self.binary.append(self._locate(size, dtype, shape, spec))
            return self.binary[-1].take(self._rest)
        array = self._json(tensor, dtype, shape, spec.name)
        if dtype != spec.dtype:
            declared = TensorSpec(name=spec.name, dtype=dtype, shape=spec.shape)
            array = tensors.cast(array, declared)
        return self._arrays.cast(array, spec, exact=dtype != spec.dtype)

    def _json(self, tensor: Any, dtype: str, shape: tuple[int, ...], where: str) -> NDArray[Any]:
        data = member(tensor, "data", simdjson.Array, where)
        nested = len(data) and isinstance(data[0], simdjson.Array)
        flat = (math.prod(shape),)
        return self._arrays.take(data, shape if nested else flat, where, dtype).reshape(shape)

    def _locate(
        self, size: Any, dtype: str, shape: tuple[int, ...], spec: TensorSpec
    ) -> BinaryTensor:
        where = spec.name
        kind = np.dtype(dtype).newbyteorder("<")
        expected = math.prod(shape) * kind.itemsize
        if size != expected:
            raise BadRequest(
                f"{where}: {DATATYPES[dtype]} of shape {list(shape)} takes {expected} bytes,"
                f" binary_data_size is {quoted(size)}"
            )
        begin = self._taken
        if (left := len(self._rest) - begin) < expected:
            raise BadRequest(
                f"{where}: expected {expected} bytes after the JSON, got {left};"
                f" {HEAD_LENGTH} says where the JSON ends"
            )
        self._taken += expected
        return BinaryTensor(spec, kind, shape, begin, self._taken)


def _split(body: bytes, length: str) -> tuple[bytes, memoryview]:
    """The JSON head, and the bytes of tensors behind it."""
    known = length.isascii() and length.isdecimal() and len(length) < 18
    if not known or int(length) > len(body):
        raise BadRequest(
            f"{HEAD_LENGTH}: expected a number of at most {len(body)} bytes, as the body has"
        )
    return body[: int(length)], memoryview(body)[int(length) :]


def _shape(element: simdjson.Array, spec: TensorSpec) -> tuple[int, ...]:
    sizes = json_arrays.short_list(element, _MOST_SIZES) or []
    if not tensors.fits(tuple(sizes), spec):
        known = sizes and all(isinstance(size, int) for size in sizes)
        raise BadRequest(
            f"{spec.name}: expected shape {list(spec.shape)}, where -1 is any size,"
            f" got {sizes if known else json_arrays.kind(element)}"
        )
    return tuple(sizes)


def _read_wishes(
    request: InferRequest, document: Any, keys: set[str], model_spec: ModelSpec
) -> None:
    if "id" in keys:
        request.id = member(document, "id", str, "the body")
    as_bytes = parameter(document, "binary_data_output", "the body") is True
    wanted = {spec.name: as_bytes for spec in model_spec.outputs}
    if "outputs" in keys and len(member(document, "outputs", simdjson.Array, "the body")):
        outputs = member(document, "outputs", simdjson.Array, "the body")
        if len(outputs) > len(wanted):
            raise BadRequest(f"expected at most {len(wanted)} outputs, got {len(outputs)}")
        known, wanted = wanted, {}
        for output in outputs:
            name = member(output, "name", str, "an output")
            if name not in known:
                raise BadRequest(f"no output {quoted(name)}; there is {', '.join(known)}")
            if parameter(output, "classification", name) is not None:
                raise Unsupported(f"{name}: the classification extension is not served")
            binary = parameter(output, "binary_data", name)
            wanted[name] = as_bytes if binary is None else binary is True
    request.wanted = tuple(wanted.items())
    request.in_json = [name for name, binary in wanted.items() if not binary]
