"""Every route there is, in one table, of which Flask's rules and the event loop's are made."""

import functools
import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from serve.protocols import mlflow, oip, predict, tfserving
from serve.protocols.interface import InferenceProtocol


@dataclass(frozen=True)
class Route:
    """A path, as OpenAPI writes it, and what it does."""

    method: str
    path: str
    """With ``{name}`` and ``{version}`` in it."""
    operation: str
    """The function of ``serve.api.views`` that answers; "infer" for the routes of inference."""
    protocol: InferenceProtocol = predict
    """In whose form it refuses, and, for inference, answers."""

    @functools.cached_property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return self.path.replace("{", "<").replace("}", ">")

    @functools.cached_property
    def pattern(self) -> re.Pattern[str]:
        """What matches the path, with its parameters as groups."""
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


_LONGEST_PATH = 512  # characters; nothing that is served has a longer one


def match(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a request, and the parameters in its path; None where there is none."""
    return _match(method, path) if len(path) <= _LONGEST_PATH else None


def route_of(path: str) -> Route | None:
    """The first route of a path, whatever the method; None where there is none."""
    return _of(path) if len(path) <= _LONGEST_PATH else None


def protocol_of(path: str) -> InferenceProtocol:
    """In whose form a request is refused, also where there is no such route."""
    route = route_of(path)
    return route.protocol if route else predict


def requested_model(parameters: dict[str, str], query: str) -> dict[str, str]:
    """Name and version of the model that is asked for, as far as the request tells.

    Args:
        parameters: in the path.
        query: of the URL; where the path names no model, ``model`` and ``version`` in it count.

    """
    if parameters or not query:
        return parameters
    given = parse_qs(query)
    names = (("name", "model"), ("version", "version"))
    return {name: given[key][-1] for name, key in names if key in given}


# The same few paths come again and again.
@functools.lru_cache(1024)
def _match(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    for route in ROUTES:
        if route.method == method and (found := route.pattern.fullmatch(path)):
            return route, found.groupdict()
    return None


@functools.lru_cache(1024)
def _of(path: str) -> Route | None:
    return next((route for route in ROUTES if route.pattern.fullmatch(path)), None)
