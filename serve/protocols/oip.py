"""Open Inference Protocol V2 over REST, with the binary tensor data extension.

Spoken by KServe, Triton, MLServer and OpenVINO Model Server. Sources: the protocol's
specification (open-inference-protocol, inference_rest.md) and Triton's
extension_binary_data.md.
"""

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import simdjson
from numpy.typing import NDArray

from bundle.manifest import DTYPES, TensorSpec
from serve.errors import BadRequest, Unsupported, quoted
from serve.models.spec import ModelSpec
from serve.protocols import tensors
from serve.protocols.identity_cache import IdentityCache
from serve.protocols.interface import DecodedRequest, Tensors, error_body
from serve.protocols.oip_binary import BinaryTensor
from serve.protocols.reading import json_arrays, json_document
from serve.protocols.reading.json_arrays import Arrays
from serve.protocols.response import JSON, Response

HEAD_LENGTH = "Inference-Header-Content-Length"
_HEAD_LENGTH = HEAD_LENGTH.upper().replace("-", "_")
BINARY = "application/octet-stream"
_NO_BYTES = memoryview(b"")
_MOST_SIZES = 64  # of a shape; numpy has no more dimensions

DATATYPES = {name: name.replace("float", "fp").upper() for name in sorted(DTYPES)}
"""numpy's names of dtypes -> the protocol's."""
_OF_DTYPES = {np.dtype(name): datatype for name, datatype in DATATYPES.items()}
_DTYPES = {datatype: dtype for dtype, datatype in DATATYPES.items()}

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
    reader = _Reader(Arrays(head), rest, model_spec, max_rows)
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
            data = (array if sys.byteorder == "little" else array.byteswap()).tobytes()
            tensor["parameters"] = {"binary_data_size": len(data)}
            parts.append(data)
        else:
            tensor["data"] = array.ravel()
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
        inputs = _member(document, "inputs", simdjson.Array, "the body")
        if len(inputs) != len(model_spec.inputs):
            raise BadRequest(f"expected {len(model_spec.inputs)} inputs, got {len(inputs)}")
        named = {_member(tensor, "name", str, "an input"): tensor for tensor in inputs}
        tensors.check_names(named.keys(), model_spec)
        # In the order of the bytes that follow.
        taken = {name: self._take(named[name], model_spec.by_name[name]) for name in named}
        request = InferRequest(taken, tensors.check_equal_rows(taken))
        keys = json_arrays.keys(document)
        self._arrays.check(1 + len(inputs) + ("outputs" in keys))
        if left := len(self._rest) - self._taken:
            raise BadRequest(f"{left} bytes too many follow the JSON")
        _read_wishes(request, document, keys, model_spec)
        return request

    def _take(self, tensor: Any, spec: TensorSpec) -> NDArray[Any]:
        """Take one tensor, as the model's input takes it."""
        datatype = _member(tensor, "datatype", str, spec.name)
        dtype = _DTYPES.get(datatype)
        if dtype is None:
            raise BadRequest(
                f"{spec.name}: datatype {quoted(datatype)} is not served; {', '.join(_DTYPES)} are"
            )
        shape = _shape(_member(tensor, "shape", simdjson.Array, spec.name), spec)
        tensors.check_rows(shape[0], self._max_rows, self._signature)
        size = _parameter(tensor, "binary_data_size", spec.name)
        if size is not None:
            self.binary.append(self._locate(size, dtype, shape, spec))
            return self.binary[-1].take(self._rest)
        array = self._json(tensor, dtype, shape, spec.name)
        if dtype != spec.dtype:
            declared = TensorSpec(name=spec.name, dtype=dtype, shape=spec.shape)
            array = tensors.cast(array, declared)
        return self._arrays.cast(array, spec, exact=dtype != spec.dtype)

    def _json(self, tensor: Any, dtype: str, shape: tuple[int, ...], where: str) -> NDArray[Any]:
        data = _member(tensor, "data", simdjson.Array, where)
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


def _member(element: Any, key: str, kind: type, where: str) -> Any:
    """A member of an object that must be there, and of this kind."""
    if not isinstance(element, simdjson.Object):
        raise BadRequest(f"{where}: expected an object, got {json_arrays.kind(element)}")
    try:
        value = element[key]
    except KeyError:
        raise BadRequest(f"{where}: {key} is missing") from None
    if not isinstance(value, kind):
        expected = "a string" if kind is str else "an array"
        raise BadRequest(f"{where}: {key}: expected {expected}, got {json_arrays.kind(value)}")
    return value


def _parameter(element: Any, name: str, where: str) -> Any:
    """One of the parameters of a request or a tensor; None where it has none, or not this one."""
    if "parameters" not in json_arrays.keys(element):
        return None
    parameters = element["parameters"]
    if not isinstance(parameters, simdjson.Object):
        kind = json_arrays.kind(parameters)
        raise BadRequest(f"{where}: parameters: expected an object, got {kind}")
    return json_arrays.member(parameters, name)


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
        request.id = _member(document, "id", str, "the body")
    as_bytes = _parameter(document, "binary_data_output", "the body") is True
    wanted = {spec.name: as_bytes for spec in model_spec.outputs}
    if "outputs" in keys and len(_member(document, "outputs", simdjson.Array, "the body")):
        outputs = _member(document, "outputs", simdjson.Array, "the body")
        if len(outputs) > len(wanted):
            raise BadRequest(f"expected at most {len(wanted)} outputs, got {len(outputs)}")
        known, wanted = wanted, {}
        for output in outputs:
            name = _member(output, "name", str, "an output")
            if name not in known:
                raise BadRequest(f"no output {quoted(name)}; there is {', '.join(known)}")
            if _parameter(output, "classification", name) is not None:
                raise Unsupported(f"{name}: the classification extension is not served")
            binary = _parameter(output, "binary_data", name)
            wanted[name] = as_bytes if binary is None else binary is True
    request.wanted = tuple(wanted.items())
    request.in_json = [name for name, binary in wanted.items() if not binary]
