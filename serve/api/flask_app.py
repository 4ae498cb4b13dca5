"""The HTTP routes, as a thin Flask application."""

import logging
from collections.abc import Callable

from flask import Flask, request
from flask import Response as FlaskResponse
from werkzeug.exceptions import HTTPException

from serve.api import routes
from serve.api.views import Views
from serve.errors import INTERNAL, Internal, Malformed, ServeError, quoted
from serve.inference.admission import Admission
from serve.inference.batching import Batcher
from serve.inference.inference_job import InferenceJob, error_response
from serve.protocols.response import Headers, Response

log = logging.getLogger("serve")

JOB = "onnxlet.job"
"""The key of the ``InferenceJob`` in the WSGI environment of an answered inference request."""


def create_app(inference: Batcher, admission: Admission, views: Views) -> Flask:
    """Create the WSGI application for all routes.

    Args:
        inference: answers inference requests.
        admission: checks inference requests.
        views: answer all other requests.

    """
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # such a path is unknown; no redirects
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ServeError, _refused)
    app.register_error_handler(Exception, _failed)

    def infer(**parameters: str) -> FlaskResponse:
        protocol = routes.protocol_of(request.path)
        job = InferenceJob(protocol, request.get_data(cache=False), _headers())
        query = request.query_string.decode("latin-1")
        admission.check(job, **routes.requested_model(parameters, query))
        response = job.response or inference.respond(job)
        request.environ[JOB] = job
        headers = job.model.spec.headers if job.model else ()
        if response.status == 200:
            headers += (("Server-Timing", job.server_timing()),)
        return _response(response, headers)

    def view(operation: str) -> Callable[..., FlaskResponse]:
        return lambda **parameters: _response(getattr(views, operation)(**parameters))

    for number, route in enumerate(routes.ROUTES):
        function = infer if route.operation == routes.INFER else view(route.operation)
        app.add_url_rule(
            route.rule, f"{route.operation} {number}", function, methods=[route.method]
        )
    return app


def _response(response: Response, headers: Headers = ()) -> FlaskResponse:
    return FlaskResponse(
        response.body,
        response.status,
        dict((*response.headers, *headers)),
        content_type=response.content_type,
    )


def _headers() -> dict[str, str]:
    """The headers by their names in WSGI, without ``HTTP_``."""
    return {name.removeprefix("HTTP_"): value for name, value in request.environ.items()}


def _http_error(error: HTTPException) -> FlaskResponse:
    """Flask's own errors, such as an unknown path, in the form of the protocol of the path."""
    message = f"{request.method} {request.path[:200]}: {error.name}"
    response = _refused(Malformed(error.code or 500, message))
    if "Allow" in (original := error.get_response()).headers:
        response.headers["Allow"] = original.headers["Allow"]
    return response


def _refused(error: ServeError) -> FlaskResponse:
    return _response(error_response(error, routes.protocol_of(request.path)))


def _failed(error: Exception) -> FlaskResponse:
    log.error("%s %s failed", request.method, quoted(request.path), exc_info=error)
    return _refused(Internal(INTERNAL))
