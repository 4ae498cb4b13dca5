"""How a request's answer is written: waitress's tasks, one class for each way an answer is made."""

import functools
from http import HTTPStatus
from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import Task, WSGITask
from waitress.utilities import (
    RequestEntityTooLarge,
    RequestHeaderFieldsTooLarge,
    build_http_date,
)

from serve import routes
from serve.answer import Answer
from serve.errors import Malformed, ServeError, TooLarge
from serve.job import refusal

_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


@functools.lru_cache(1)
def _date(second: int) -> str:
    return str(build_http_date(second))


class _Watched(Task):
    """Names its request, tells when it is the connection's last, and is counted."""

    def start(self) -> None:
        super().start()
        self.response_headers.append(("X-Request-Id", self.request.id))
        if self.channel.server.draining or self.channel.surplus:
            self.set_close_on_finish()

    def build_response_header(self) -> bytes:
        """Make the head. It is counted now: a client that has an answer finds it in the metrics."""
        self.channel.server.answered(self)
        return bytes(super().build_response_header())


class FlaskTask(_Watched, WSGITask):
    """A request that the Flask application answers."""


class AnswerTask(_Watched):
    """Writes an answer that was made past Flask, head and body at once."""

    complete = True

    def execute(self) -> None:
        """Make the answer and write it."""
        answer = self._answer()
        self.status = _STATUS.get(answer.status, f"{answer.status} Refused")
        self.response_headers += [("Content-Type", answer.content_type), *answer.headers]
        job = self.request.job
        if job and job.model:
            self.response_headers += job.model.signature.headers
            if answer.status == 200:
                self.response_headers.append(("Server-Timing", job.server_timing()))
        if answer.error and answer.error.rejection:
            self.channel.server.rejected(answer.error.rejection)
        self.content_length = len(answer.body)
        head = self._head()
        self.wrote_header = True
        self.channel.write_soon(head + answer.body)

    def _head(self) -> bytes:
        """As waitress's ``build_response_header``, which takes longer for the usual case."""
        keep = self.request.headers.get("CONNECTION", "").lower() != "close"
        if self.version != "1.1" or self.close_on_finish or not keep:
            return self.build_response_header()
        self.channel.server.answered(self)
        named = "".join(f"{name}: {value}\r\n" for name, value in self.response_headers)
        date = _date(int(self.start_time))
        return (
            f"HTTP/1.1 {self.status}\r\nContent-Length: {self.content_length}\r\n"
            f"Date: {date}\r\n{named}\r\n"
        ).encode("latin-1")

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
        if not isinstance(error, ServeError):
            error = self._translate(error)
        return refusal(error, routes.dialect(self.request.path))

    def _translate(self, error: Any) -> ServeError:
        """An error of waitress's own, in our words."""
        adjustments = self.channel.adj
        if isinstance(error, RequestEntityTooLarge):
            longest = adjustments.max_request_body_size - 1
            return TooLarge(f"expected a body of at most {longest} bytes")
        if isinstance(error, RequestHeaderFieldsTooLarge):
            longest = adjustments.max_request_header_size - 1
            return Malformed(431, f"expected a head of at most {longest} bytes")
        return Malformed(error.code, error.body)


def task(channel: HTTPChannel, request: Any) -> Task:
    """The task for a request that has come in whole."""
    kind = FlaskTask if request.job is None else AnswerTask
    return kind(channel, request)
