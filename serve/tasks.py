"""How a request's answer is written: waitress's tasks, one class for each way an answer is made."""

from http import HTTPStatus
from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import Task, WSGITask
from waitress.utilities import RequestEntityTooLarge, RequestHeaderFieldsTooLarge

from serve import errors
from serve.errors import ServeError
from serve.job import Answer, refusal

_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class _Farewell(Task):
    """Tells the client when this answer is the connection's last."""

    def start(self) -> None:
        super().start()
        if self.channel.server.draining or self.channel.surplus:
            self.set_close_on_finish()


class FlaskTask(_Farewell, WSGITask):
    """A request that the Flask application answers."""


class AnswerTask(_Farewell):
    """Writes an answer that was made past Flask, head and body at once."""

    complete = True

    def execute(self) -> None:
        """Make the answer and write it."""
        answer = self._answer()
        self.status = _STATUS.get(answer.status, f"{answer.status} Refused")
        self.response_headers += [("Content-Type", "application/json"), *answer.headers]
        self.content_length = len(answer.body)
        head = self.build_response_header()
        self.wrote_header = True
        self.channel.write_soon(head + answer.body)

    def _answer(self) -> Answer:
        answer: Answer = self.request.job.answer
        return answer


class ErrorTask(AnswerTask):
    """Writes why a request was refused before it had come in whole, and ends the connection."""

    def execute(self) -> None:
        """Say that the connection ends, and write the answer."""
        self.set_close_on_finish()
        super().execute()

    def _answer(self) -> Answer:
        self.channel.refused = True
        error = self.request.error
        if isinstance(error, ServeError):
            return refusal(error)
        adjustments = self.channel.adj
        message = error.body
        if isinstance(error, RequestEntityTooLarge):
            longest = adjustments.max_request_body_size - 1
            message = f"expected a body of at most {longest} bytes"
        elif isinstance(error, RequestHeaderFieldsTooLarge):
            longest = adjustments.max_request_header_size - 1
            message = f"expected a head of at most {longest} bytes"
        return Answer(error.code, errors.body(message))


def task(channel: HTTPChannel, request: Any) -> Task:
    """The task for a request that has come in whole."""
    kind = FlaskTask if request.job is None else AnswerTask
    return kind(channel, request)
