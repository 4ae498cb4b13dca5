"""Answers all routes except inference, independent of Flask.

The methods of ``Views`` are the operations of ``serve.api.routes``. Their arguments are the
parameters in the path of a route.
"""

import functools
from dataclasses import dataclass
from typing import Any

import orjson

import serve
from serve.api.routes import INFER, ROUTES
from serve.errors import NotFound, ServeError, Unavailable, Unsupported, quoted
from serve.models.catalog import Catalog
from serve.pages import Pages
from serve.protocols import tfserving_metadata
from serve.protocols.open_inference import model_metadata, model_statistics
from serve.protocols.response import Response
from serve.telemetry.metrics import CONTENT_TYPE
from serve.telemetry.totals import Totals

NAME = "onnxlet"
_TEXT = "text/plain; charset=utf-8"
_LONGEST_NAME = 400  # characters


@dataclass
class Health:
    """The state that the health routes report."""

    ready: bool = True


class Views:
    """The responses of one worker."""

    def __init__(
        self, catalog: Catalog, health: Health, totals: Totals, max_rows: int, pages: Pages
    ) -> None:
        """Prepare the views.

        Args:
            catalog: the loaded models.
            health: the state that the health routes report.
            totals: the metrics of all workers.
            max_rows: of a request.
            pages: for browsers.

        """
        self._catalog = catalog
        self._health = health
        self._totals = totals
        self._max_rows = max_rows
        self._pages = pages

    def live(self) -> Response:
        """Liveness: is the server running?"""
        return _json({"live": True})

    def ready(self) -> Response:
        """Readiness: does the server accept requests?"""
        self._check_ready()
        return _json({"ready": True})

    def ping(self) -> Response:
        """Readiness, for clients of MLflow and SageMaker."""
        self._check_ready()
        return Response(200, b"\n", _TEXT)

    def version(self) -> Response:
        """Version of the server, as plain text."""
        return Response(200, serve.__version__.encode(), _TEXT)

    def metrics(self) -> Response:
        """Metrics of all workers, for Prometheus."""
        return Response(200, self._totals.text(), CONTENT_TYPE)

    def page(self) -> Response:
        """A web page to try the models."""
        return self._pages.get("index.html")

    def docs(self) -> Response:
        """This description of the API, as a web page."""
        return self._pages.get("docs.html")

    def page_file(self, file: str) -> Response:
        """A file of the web pages."""
        return self._pages.get(file)

    def openapi(self) -> Response:
        """This description of the API, in OpenAPI 3.1."""
        return Response(200, self._openapi)

    @functools.cached_property
    def _openapi(self) -> bytes:
        from serve.api import openapi  # few ask for it

        return openapi.document(summaries())

    def server_metadata(self) -> Response:
        """Name, version and extensions of the server."""
        extensions = model_metadata.EXTENSIONS
        return _json({"name": NAME, "version": serve.__version__, "extensions": extensions})

    def model_metadata(self, name: str, version: str = "") -> Response:
        """Tensors, labels and provenance of a version."""
        model_spec = self._catalog.find(name, version).spec
        versions = self._catalog.versions(name).ready
        return _json(model_metadata.metadata(model_spec, versions))

    def example(self, name: str, version: str = "") -> Response:
        """A request that the version can answer: some of its golden inputs, or zeros."""
        self._pages.check_enabled()
        model = self._catalog.find(name, version)
        return _json(model_metadata.example(model.spec, model.example))

    def model_ready(self, name: str, version: str = "") -> Response:
        """Readiness of a version."""
        self._check_ready()
        self._catalog.find(name, version)
        return _json({"name": name, "ready": True})

    def model_config(self, name: str, version: str = "") -> Response:
        """Configuration of a version, as Triton would report it."""
        model_spec = self._catalog.find(name, version).spec
        return _json(model_metadata.config(model_spec, self._max_rows))

    def statistics(self, name: str = "", version: str = "") -> Response:
        """Statistics of all versions, of one model, or of one version."""
        if version:
            models = [self._catalog.find(name, version)]
        elif name:
            models = list(self._catalog.versions(name).ready.values())
        else:
            models = list(self._catalog)
        model_specs = [model.spec for model in models]
        return _json(model_statistics.statistics(model_specs, self._totals.samples()))

    def repository_index(self) -> Response:
        """All versions, and the reason for each one that cannot be served."""
        index = []
        for name, versions in self._catalog.models.items():
            index += [
                {
                    "name": name,
                    "version": str(number),
                    "state": "READY" if number in versions.ready else "UNAVAILABLE",
                    "reason": version.reason,
                }
                for number, version in versions.planned.versions.items()
            ]
        return _json(index)

    def load(self, name: str) -> Response:
        """Load the newest versions of a model. Answers when all workers serve them."""
        raise _elsewhere(name)

    def unload(self, name: str) -> Response:
        """Unload a model. Answers when no worker serves it."""
        raise _elsewhere(name)

    def models(self) -> Response:
        """Names of all models."""
        return _json({"models": list(self._catalog.models)})

    def model_status(self, name: str, version: str = "") -> Response:
        """State of one or all versions of a model, as TensorFlow Serving reports it."""
        versions = self._catalog.versions(name)
        if not version:
            return _json(tfserving_metadata.status(name, versions.ready, versions.planned.failed))
        number = self._catalog.find(name, version).spec.version
        return _json(tfserving_metadata.status(name, [number], {}))

    def model_signature(self, name: str, version: str = "") -> Response:
        """Signature of a version, as TensorFlow Serving reports it."""
        return _json(tfserving_metadata.metadata(self._catalog.find(name, version).spec))

    def _check_ready(self) -> None:
        if not self._health.ready:
            raise Unavailable("not ready: the server is shutting down")


def summaries() -> dict[str, str | None]:
    """What each operation does, except inference: the docstring of its view."""
    operations = {route.operation for route in ROUTES} - {INFER}
    return {name: getattr(Views, name).__doc__ for name in operations}


def _json(document: Any) -> Response:
    return Response(200, orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY))


def _elsewhere(name: str) -> ServeError:
    """The error for a request that only the event loop can handle (``worker.pending_loads``)."""
    if len(name) > _LONGEST_NAME:
        return NotFound(f"no model {quoted(name)}")
    return Unsupported("models can be loaded and unloaded only with --server epoll")
