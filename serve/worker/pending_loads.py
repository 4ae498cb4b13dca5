"""Requests to load or unload a model, which wait until all workers have done so.

The extension is Triton's (extension_model_repository.md); only the supervisor can do it.
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
_TAKEN = {"unload_dependents"}  # which tritonclient always sends; no model here depends on another


class PendingLoads:
    """Those requests to one worker."""

    def __init__(self, settings: Settings, control: ControlChannel) -> None:
        """Have none as yet.

        Args:
            settings: of the service.
            control: to the supervisor.

        Raises:
            StartError: the file of keys can't be used.

        """
        self._keys = ApiKeys(settings.admin_keys) if settings.admin_keys else None
        self._control = control
        self._numbers = itertools.count()
        self._waiting: dict[str, InferenceJob] = {}

    def ask(self, job: InferenceJob, operation: str, name: str) -> bool:
        """Have the supervisor do it.

        Args:
            job: just arrived.
            operation: to load or to unload.
            name: of the model.

        Returns:
            False where it is refused, and has its answer.

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
            job.refuse(Unavailable("the supervisor does not listen"))
            del self._waiting[number]
        return job.response is None

    def done(self, text: str) -> InferenceJob:
        """The request that the supervisor says something of, with its answer."""
        number, status, why = text.split(" ", 2)
        job = self._waiting.pop(number)
        if status == "200":
            job.response = Response(200, b"{}")
        else:
            job.refuse(_ERRORS[int(status)](why))
        return job

    def _check(self, job: InferenceJob) -> None:
        if self._keys is None:
            raise Forbidden("nobody may load or unload models here; --admin-keys FILE says who may")
        job.key = self._keys.check(job.headers)
        _check_body(job.body)


def _check_body(body: bytes) -> None:
    """Refuse what is not done: to load other files, or otherwise, than they lie there."""
    try:
        document = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    parameters = document.get("parameters", {}) if isinstance(document, dict) else None
    if not isinstance(parameters, dict):
        raise BadRequest('expected nothing, or {"parameters": {…}}')
    for name in parameters:
        if name not in _TAKEN:
            raise Unsupported(f"parameter {quoted(name)}: models are served as their files say")
