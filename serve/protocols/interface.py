"""What a dialect is: a module that turns the bytes of a request into arrays, and arrays into bytes.

A dialect knows neither Flask nor onnxruntime. Each is a module of this package with the functions
of ``InferenceProtocol``; ``serve.api.routes`` says which paths speak it.
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
    """What was asked: for each input of the model its name and a valid batch."""

    inputs: Tensors
    """Each of the input's dtype and of shape (rows, …)."""
    rows: int
    in_json: list[str] | None = None
    """Outputs that go as JSON, which has no NaN and no infinity; None for all."""


def error_body(error: ServeError) -> bytes:
    """``{"error": message}``, the form of most dialects."""
    return orjson.dumps({"error": str(error)})


class InferenceProtocol(Protocol):
    """The functions of such a module."""

    def parse(
        self, body: bytes, headers: Mapping[str, str], model_spec: ModelSpec, max_rows: int
    ) -> DecodedRequest:
        """Make valid arrays of the bytes of a request.

        Args:
            body: as it came, less its Content-Encoding.
            headers: by the names that WSGI gives them, less ``HTTP_``.
            model_spec: of the requested model.
            max_rows: more are refused.

        Raises:
            ServeError: the request is refused; the message says what was expected and what came.

        """

    def render(self, request: DecodedRequest, outputs: Tensors, model_spec: ModelSpec) -> Response:
        """Answer ``request`` with all of the model's outputs, each of shape (rows, …)."""

    def refuse(self, error: ServeError) -> bytes:
        """The body that says why there is no answer."""
