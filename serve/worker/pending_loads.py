"""Requests to load or unload a model, which wait in a worker until the supervisor has done it.

This is Triton's extension of the protocol (extension_model_repository.md).
"""

import itertools

import orjson

from serve.api.routes import LOAD
from serve.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    ServeError,
    Unavailable,
    Unsupported,
    quoted,
)
from serve.inference.api_keys import ApiKeys
from serve.inference.inference_job import InferenceJob
from serve.processes.messages import ControlChannel, MessageKind
from serve.protocols.response import Response
from serve.settings import Settings

_ERRORS: dict[int, type[ServeError]] = {404: NotFound, 503: Unavailable}
_ACCEPTED = {
    "unload_dependents"
}  # tritonclient always sends it; models do not depend on others here


class PendingLoads:
    """The waiting requests of one worker."""

    def __init__(self, settings: Settings, control: ControlChannel) -> None:
        """Begin without requests.

        Args:
            settings: of the server.
            control: channel to the supervisor.

        Raises:
            StartError: the file of admin keys is not valid.

        """
        self._keys = ApiKeys(settings.admin_keys) if settings.admin_keys else None
        self._control = control
        self._numbers = itertools.count()
        self._waiting: dict[str, InferenceJob] = {}

    def ask(self, job: InferenceJob, operation: str, name: str) -> bool:
        """Pass a request to the supervisor.

        Args:
            job: a new one.
            operation: load or unload.
            name: of the model.

        Returns:
            False if the request is refused; then the job has its response.

        """
        try:
            self._check(job)
        except ServeError as error:
            job.refuse(error)
            return False
        number = str(next(self._numbers))
        self._waiting[number] = job
        kind = MessageKind.LOAD if operation == LOAD else MessageKind.UNLOAD
        if not self._control.send(kind, f"{number} {name}"):
            job.refuse(Unavailable("the supervisor does not respond"))
            del self._waiting[number]
        return job.response is None

    def done(self, text: str) -> InferenceJob:
        """Take the supervisor's result; returns the job, which now has its response."""
        number, status, why = text.split(" ", 2)
        job = self._waiting.pop(number)
        if status == "200":
            job.response = Response(200, b"{}")
        else:
            job.refuse(_ERRORS[int(status)](why))
        return job

    def _check(self, job: InferenceJob) -> None:
        if self._keys is None:
            raise Forbidden("nobody may load or unload models here; --admin-keys FILE allows it")
        job.key = self._keys.check(job.headers)
        _check_body(job.body)


def _check_body(body: bytes) -> None:
    """Refuse parameters: a model is always loaded as its files are."""
    try:
        document = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    parameters = document.get("parameters", {}) if isinstance(document, dict) else None
    if not isinstance(parameters, dict):
        raise BadRequest('expected nothing, or {"parameters": {…}}')
    for name in parameters:
        if name not in _ACCEPTED:
            raise Unsupported(
                f"parameter {quoted(name)}: models are always served as their files are"
            )
