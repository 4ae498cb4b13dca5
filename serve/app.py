"""The HTTP routes, as a thin Flask application."""

import logging
from dataclasses import dataclass

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from serve import errors
from serve.inference import PATH, Inference

log = logging.getLogger("serve")


@dataclass
class Health:
    """What the health routes say."""

    ready: bool = True


def create_app(inference: Inference, health: Health) -> Flask:
    """Make the WSGI application that serves a model which has passed its self-test."""
    app = Flask(__name__, static_folder=None)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _failed)

    @app.post(PATH)
    def infer() -> Response:
        answer = inference.answer(request.get_data(cache=False))
        return _json(answer.body, answer.status)

    @app.get("/v2/health/live")
    def live() -> Response:
        return _json(b"{}")

    @app.get("/v2/health/ready")
    def ready() -> Response:
        if health.ready:
            return _json(b"{}")
        return _json(errors.body("not ready: the server is shutting down"), 503)

    return app


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, content_type="application/json")


def _http_error(error: HTTPException) -> Response:
    """Flask's own refusals (unknown path, wrong method), in the one form of all errors."""
    response = _json(
        errors.body(f"{request.method} {request.path}: {error.name}"), error.code or 500
    )
    if "Allow" in (original := error.get_response()).headers:
        response.headers["Allow"] = original.headers["Allow"]
    return response


def _failed(error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return _json(errors.body(errors.INTERNAL), 500)
