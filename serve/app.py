"""The HTTP routes, as a thin Flask application."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from serve import metrics
from serve.admission import Admission
from serve.errors import INTERNAL
from serve.inference import PATH, Inference
from serve.job import Job, error_body

log = logging.getLogger("serve")


@dataclass
class Health:
    """What the health routes say."""

    ready: bool = True


def create_app(
    inference: Inference,
    admission: Admission,
    health: Health,
    scrape: Callable[[], bytes],
) -> Flask:
    """Make the WSGI application that serves a model which has passed its self-test.

    Args:
        inference: of that model.
        admission: what is asked before a request comes in.
        health: what the health routes say.
        scrape: gives the metrics as Prometheus reads them.

    """
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # a path with two is unknown, not worth a redirect
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _failed)

    @app.post(PATH)
    def infer() -> Response:
        job = Job(request.get_data(cache=False))
        admission.check(job, _headers())
        answer = job.answer or inference.answer(job)
        return _json(answer.body, answer.status, answer.headers)

    @app.get("/v2/health/live")
    def live() -> Response:
        return _json(b"{}")

    @app.get("/v2/health/ready")
    def ready() -> Response:
        if health.ready:
            return _json(b"{}")
        return _json(error_body("not ready: the server is shutting down"), 503)

    @app.get("/metrics")
    def prometheus() -> Response:
        return Response(scrape(), content_type=metrics.CONTENT_TYPE)

    return app


def _json(body: bytes, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Response:
    return Response(body, status, dict(headers), content_type="application/json")


def _headers() -> dict[str, str]:
    environ = request.environ
    return {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}


def _http_error(error: HTTPException) -> Response:
    """Flask's own refusals (unknown path, wrong method), in the one form of all errors."""
    response = _json(
        error_body(f"{request.method} {request.path}: {error.name}"), error.code or 500
    )
    if "Allow" in (original := error.get_response()).headers:
        response.headers["Allow"] = original.headers["Allow"]
    return response


def _failed(error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return _json(error_body(INTERNAL), 500)
