"""The HTTP routes, as a Flask application: thin, and the only place where errors become answers."""

import logging

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from serve import errors
from serve.errors import ServeError, StartError
from serve.model import Model
from serve.protocols import predict
from serve.settings import Settings

log = logging.getLogger("serve")


def create_app(model: Model, settings: Settings) -> Flask:
    """Make the WSGI application that serves ``model``, which has passed its self-test.

    Raises:
        StartError: the model is not one that a route can speak for.

    """
    if reason := predict.unsupported(model.inputs, model.outputs):
        raise StartError(f"{model.name}/{model.version}: /predict can't serve it: {reason}")
    app = Flask(__name__, static_folder=None)
    app.register_error_handler(ServeError, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _failed)

    @app.post("/predict")
    def predict_images() -> Response:
        body = request.get_data(cache=False)
        asked = predict.parse(body, model.inputs[0], settings.max_rows)
        scores = model.run({model.inputs[0].name: asked.batch})[model.outputs[0].name]
        return _json(predict.render(asked, scores, model.name, model.version))

    @app.get("/v2/health/live")
    @app.get("/v2/health/ready")
    def health() -> Response:
        # The model is loaded and tested before the first connection is accepted.
        return _json(b"{}")

    return app


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, content_type="application/json")


def _refused(error: ServeError) -> Response:
    return _json(errors.body(str(error)), error.status)


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
    return _json(errors.body("internal error; the server's log says more"), 500)
