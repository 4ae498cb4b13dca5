"""``--server waitress``: the Flask application in plain waitress, in one process.

It is for debugging and for systems without epoll, and tests compare the event loop with it. It
serves the versions that the repository contains at the start, and does not batch requests.
"""

import itertools
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterable
from typing import Any

import waitress

from serve.api.flask_app import JOB, create_app
from serve.api.views import Health, Views
from serve.errors import StartError
from serve.http.request import Request
from serve.http.request_head import Head, with_route
from serve.http.wsgi import Application
from serve.inference.admission import Admission
from serve.inference.batching import Batcher
from serve.models import catalog
from serve.pages import Pages
from serve.processes import shared_folder
from serve.settings import Settings
from serve.telemetry.access_log import AccessLog
from serve.telemetry.metrics import Metrics
from serve.telemetry.request_metrics import RequestMetrics
from serve.telemetry.totals import Totals

THREADS = 4  # waitress's own default


def run(settings: Settings) -> int:
    """Serve until a signal ends it; returns the exit status of the process.

    Raises:
        StartError: nothing can be served, or the address can't be listened on.

    """
    served = catalog.load(settings)
    folder = shared_folder.create()
    try:
        served.plan.write(folder)
        inference = Batcher(settings)
        views = Views(served, Health(), Totals(folder), settings.max_rows, Pages(settings.pages))
        app = create_app(inference, Admission(settings, served), views)
        request_metrics = RequestMetrics(Metrics(folder, 0), AccessLog(settings.access_log))
        logging.getLogger("waitress").setLevel(logging.WARNING)
        # It warns of every request that finds no idle thread, which is nothing to act on.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        try:
            server = waitress.create_server(
                _MeasuredApplication(app, inference, request_metrics),
                host=settings.host,
                port=settings.port,
                threads=settings.inference_threads or THREADS,
                max_request_body_size=settings.max_body_bytes + 1,
                max_request_header_size=settings.max_header_bytes + 1,
                ident=None,
            )
        except OSError as error:
            raise StartError(
                f"cannot listen on {settings.host}:{settings.port}: {error.strerror};"
                " choose another with --host and --port"
            ) from None
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        url = f"http://{server.effective_host}:{server.effective_port}"
        print(f"serving {served.plan} on {url}; Ctrl-C ends it", flush=True)
        server.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("ended", flush=True)
    return 0


class _MeasuredApplication:
    """The application, with counted and logged requests that have an id."""

    def __init__(
        self, app: Application, inference: Batcher, request_metrics: RequestMetrics
    ) -> None:
        self._app = app
        self._metrics = request_metrics
        self._lock = threading.Lock()
        self._prefix = os.urandom(6).hex()
        self._ids = itertools.count(1)
        inference.on_run = self._count

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        head = _head(environ)
        request = Request(head, b"", environ["REMOTE_ADDR"], time.monotonic(), self._new_id)
        request.size = int(environ.get("CONTENT_LENGTH") or 0)

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            request.job = environ.get(JOB)
            response = request.job.response if request.job else None
            size = int(dict(headers).get("Content-Length", 0))
            with self._lock:
                error = response.error if response else None
                self._metrics.count_response(request, int(status[:3]), size, error)
                self._metrics.flush()
            return start_response(status, [*headers, *request.headers_of_answer()], *more)

        return self._app(environ, start)

    def _count(self, *run: Any) -> None:
        with self._lock:
            self._metrics.count_run(*run)

    def _new_id(self) -> str:
        return f"{self._prefix}-{next(self._ids):x}"


def _head(environ: dict[str, Any]) -> Head:
    """The parts of a request head that responses and metrics need, from a WSGI environment."""
    headers = {name.removeprefix("HTTP_"): str(value) for name, value in environ.items()}
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    return with_route(Head(method, path, environ["QUERY_STRING"], "1.1", headers))
