"""The interface of an inference protocol: it decodes requests into arrays, and encodes responses.

Each protocol is a module of this package with the functions of ``InferenceProtocol``.
``serve.api.routes`` lists its paths.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from numpy.typing import NDArray

from serve.errors import ServeError
from serve.models.spec import ModelSpec
from serve.protocols.response import Response

Tensors = dict[str, NDArray[Any]]


@dataclass(slots=True)
class DecodedRequest:
    """A decoded request: a valid batch for each input of the model."""

    inputs: Tensors
    """By name; each with the dtype of the input and shape (rows, …)."""
    rows: int
    in_json: list[str] | None = None
    """Outputs that are sent as JSON, which has no NaN or infinity; None for all of them."""


def error_body(error: ServeError) -> bytes:
    """``{"error": message}``, the form of most protocols."""
    return orjson.dumps({"error": str(error)})


class InferenceProtocol(Protocol):
    """The functions of a protocol module."""

    def parse(
        self, body: bytes, headers: Mapping[str, str], model_spec: ModelSpec, max_rows: int
    ) -> DecodedRequest:
        """Decode the body of a request into valid arrays.

        Args:
            body: decompressed.
            headers: by their names in WSGI, without ``HTTP_``.
            model_spec: of the requested model.
            max_rows: of a request.

        Raises:
            ServeError: the request is refused; the message says what was expected and what came.

        """

    def render(self, request: DecodedRequest, outputs: Tensors, model_spec: ModelSpec) -> Response:
        """Encode all outputs of the model, each of shape (rows, …), as the response."""

    def refuse(self, error: ServeError) -> bytes:
        """The body of an error response."""
