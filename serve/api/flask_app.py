"""The HTTP routes, as a thin Flask application."""

import logging
from collections.abc import Callable

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from serve.api import routes
from serve.api.views import Views
from serve.errors import INTERNAL, Internal, Malformed, ServeError, quoted
from serve.inference.admission import Admission
from serve.inference.batching import Inference
from serve.inference.inference_job import Job, refusal
from serve.protocols.response import Answer, Headers

log = logging.getLogger("serve")

JOB = "onnxlet.job"
"""Where the environment of an answered request for inference has its ``Job``."""


def create_app(inference: Inference, admission: Admission, views: Views) -> Flask:
    """Make the WSGI application that serves every route.

    Args:
        inference: that answers.
        admission: what is asked before a request comes in.
        views: what is answered elsewhere.

    """
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # a path with two is unknown, not worth a redirect
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ServeError, _refused)
    app.register_error_handler(Exception, _failed)

    def infer(**parameters: str) -> Response:
        dialect = routes.dialect(request.path)
        job = Job(dialect, request.get_data(cache=False), _headers())
        query = request.query_string.decode("latin-1")
        admission.check(job, **routes.asked(parameters, query))
        answer = job.answer or inference.answer(job)
        request.environ[JOB] = job
        headers = job.model.signature.headers if job.model else ()
        if answer.status == 200:
            headers += (("Server-Timing", job.server_timing()),)
        return _response(answer, headers)

    def view(operation: str) -> Callable[..., Response]:
        return lambda **parameters: _response(getattr(views, operation)(**parameters))

    for number, route in enumerate(routes.ROUTES):
        function = infer if route.operation == routes.INFER else view(route.operation)
        app.add_url_rule(
            route.rule, f"{route.operation} {number}", function, methods=[route.method]
        )
    return app


def _response(answer: Answer, headers: Headers = ()) -> Response:
    return Response(
        answer.body,
        answer.status,
        dict((*answer.headers, *headers)),
        content_type=answer.content_type,
    )


def _headers() -> dict[str, str]:
    """As waitress gives them: the names of WSGI, less ``HTTP_``."""
    return {name.removeprefix("HTTP_"): value for name, value in request.environ.items()}


def _http_error(error: HTTPException) -> Response:
    """Flask's own refusals (unknown path, wrong method), in the form of their path."""
    message = f"{request.method} {request.path[:200]}: {error.name}"
    response = _refused(Malformed(error.code or 500, message))
    if "Allow" in (original := error.get_response()).headers:
        response.headers["Allow"] = original.headers["Allow"]
    return response


def _refused(error: ServeError) -> Response:
    return _response(refusal(error, routes.dialect(request.path)))


def _failed(error: Exception) -> Response:
    log.error("%s %s failed", request.method, quoted(request.path), exc_info=error)
    return _refused(Internal(INTERNAL))
