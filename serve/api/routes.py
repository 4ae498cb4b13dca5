"""All routes, in one table that both Flask and the event loop use."""

import functools
import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from serve.protocols import mlflow, oip, predict, tfserving
from serve.protocols.interface import InferenceProtocol


@dataclass(frozen=True)
class Route:
    """A method and path, and their operation."""

    method: str
    path: str
    """As in OpenAPI, with the parameters ``{name}`` and ``{version}``."""
    operation: str
    """The method of ``serve.api.views.Views`` that answers, or one of the constants below."""
    protocol: InferenceProtocol = predict
    """The form of its error responses, and of inference requests and responses."""

    @functools.cached_property
    def rule(self) -> str:
        """The path in the notation of Flask."""
        return self.path.replace("{", "<").replace("}", ">")

    @functools.cached_property
    def pattern(self) -> re.Pattern[str]:
        """A pattern for the path, with the parameters as groups."""
        return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/:]+)", re.escape(self.path)))


INFER, LOAD, UNLOAD = "infer", "load", "unload"
ROUTES = (
    Route("POST", "/predict", INFER, predict),
    Route("POST", "/invocations", INFER, mlflow),
    Route("POST", "/v2/models/{name}/infer", INFER, oip),
    Route("POST", "/v2/models/{name}/versions/{version}/infer", INFER, oip),
    Route("POST", "/v1/models/{name}:predict", INFER, tfserving),
    Route("POST", "/v1/models/{name}/versions/{version}:predict", INFER, tfserving),
    Route("POST", "/v1/models/{name}/labels/{version}:predict", INFER, tfserving),
    Route("GET", "/v2", "server_metadata", oip),
    Route("GET", "/v2/health/live", "live", oip),
    Route("GET", "/v2/health/ready", "ready", oip),
    Route("GET", "/v2/models/stats", "statistics", oip),
    Route("GET", "/v2/models/{name}/stats", "statistics", oip),
    Route("GET", "/v2/models/{name}/versions/{version}/stats", "statistics", oip),
    Route("GET", "/v2/models/{name}", "model_metadata", oip),
    Route("GET", "/v2/models/{name}/versions/{version}", "model_metadata", oip),
    Route("GET", "/v2/models/{name}/example", "example", oip),
    Route("GET", "/v2/models/{name}/versions/{version}/example", "example", oip),
    Route("GET", "/v2/models/{name}/ready", "model_ready", oip),
    Route("GET", "/v2/models/{name}/versions/{version}/ready", "model_ready", oip),
    Route("GET", "/v2/models/{name}/config", "model_config", oip),
    Route("GET", "/v2/models/{name}/versions/{version}/config", "model_config", oip),
    Route("POST", "/v2/repository/index", "repository_index", oip),
    Route("POST", "/v2/repository/models/{name}/load", LOAD, oip),
    Route("POST", "/v2/repository/models/{name}/unload", UNLOAD, oip),
    Route("GET", "/v1/models", "models", tfserving),
    Route("GET", "/v1/models/{name}", "model_status", tfserving),
    Route("GET", "/v1/models/{name}/versions/{version}", "model_status", tfserving),
    Route("GET", "/v1/models/{name}/labels/{version}", "model_status", tfserving),
    Route("GET", "/v1/models/{name}/metadata", "model_signature", tfserving),
    Route("GET", "/v1/models/{name}/versions/{version}/metadata", "model_signature", tfserving),
    Route("GET", "/v1/models/{name}/labels/{version}/metadata", "model_signature", tfserving),
    Route("GET", "/ping", "ping", mlflow),
    Route("GET", "/health", "ping", mlflow),
    Route("GET", "/version", "version", mlflow),
    Route("GET", "/metrics", "metrics"),
    Route("GET", "/", "page"),
    Route("GET", "/docs", "docs"),
    Route("GET", "/pages/{file}", "page_file"),
    Route("GET", "/openapi.json", "openapi"),
)


_LONGEST_PATH = 512  # characters; no route has a longer path


def match(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a request and the parameters in its path; None if there is no route."""
    return _match(method, path) if len(path) <= _LONGEST_PATH else None


def route_of(path: str) -> Route | None:
    """The first route of a path, for any method; None if there is none."""
    return _of(path) if len(path) <= _LONGEST_PATH else None


def protocol_of(path: str) -> InferenceProtocol:
    """The protocol of a path, also if there is no such route; errors have its form."""
    route = route_of(path)
    return route.protocol if route else predict


def requested_model(parameters: dict[str, str], query: str) -> dict[str, str]:
    """Name and version of the requested model, if the request contains them.

    Args:
        parameters: in the path.
        query: of the URL; its ``model`` and ``version`` count if the path names no model.

    """
    if parameters or not query:
        return parameters
    given = parse_qs(query)
    names = (("name", "model"), ("version", "version"))
    return {name: given[key][-1] for name, key in names if key in given}


# The same few paths are requested again and again.
@functools.lru_cache(1024)
def _match(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    for route in ROUTES:
        if route.method == method and (found := route.pattern.fullmatch(path)):
            return route, found.groupdict()
    return None


@functools.lru_cache(1024)
def _of(path: str) -> Route | None:
    return next((route for route in ROUTES if route.pattern.fullmatch(path)), None)
