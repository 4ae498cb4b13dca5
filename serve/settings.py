"""Every option of the server, declared in one table; ``command_line`` reads them."""

import enum
from dataclasses import dataclass
from pathlib import Path

from serve.option_types import (
    duration,
    on_or_off,
    one_of,
    option,
    port,
    positive,
    positive_integer,
    thread_count,
)


class AccessLogMode(enum.Enum):
    """Which requests are logged."""

    OFF = "off"
    ERRORS = "errors"
    SAMPLED = "sampled"
    ALL = "all"


class HttpServer(enum.Enum):
    """Which code reads and writes HTTP."""

    EPOLL = "epoll"
    WAITRESS = "waitress"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The value of every option."""

    models: Path = option(
        Path("models"),
        Path,
        "model repository: a folder with NAME/VERSION/model.onnx",
        "where `python -m export` publishes",
    )
    default_model: str | None = option(
        None,
        str,
        "model for requests that name none, such as POST /predict (default: the only model)",
        "a repository with one model needs no choice",
    )
    latest_versions: int = option(
        2,
        positive_integer,
        "number of latest versions of each model to serve, in addition to labelled versions",
        "the previous version stays available for a rollback",
    )
    poll_interval: float = option(
        5.0,
        duration("seconds"),
        "seconds between scans of the repository for new versions; 0 scans only on SIGHUP and when"
        " a model is loaded over HTTP",
        "a scan takes milliseconds, in a separate process",
    )
    admin_keys: Path | None = option(
        None,
        Path,
        "key file, as for --api-keys, of those who may load and unload models over HTTP (default:"
        " nobody may)",
        "people who can write to the repository do not need it",
    )
    verify_key: Path | None = option(
        None,
        Path,
        "public key in PEM; serve only versions that were signed with its private key by"
        " `python -m export sign` (default: serve all)",
        "everybody who can write to the repository is trusted by default",
    )
    host: str = option(
        "127.0.0.1",
        str,
        "address to listen on; 0.0.0.0 means all",
        "the server is not open to the network unless you ask for it",
    )
    port: int = option(
        8080,
        port,
        "port to listen on; 0 means any free port",
        "SageMaker expects this port, or another one if it sets SAGEMAKER_BIND_TO_PORT",
    )
    server: HttpServer = option(
        HttpServer.EPOLL,
        one_of(HttpServer),
        "epoll, or waitress: the same application in one process with threads, but without"
        " batching, deadlines, reloads and most limits",
        "waitress is for debugging and for systems without epoll",
    )
    workers: int | None = option(
        None,
        positive_integer,
        "number of worker processes (default: number of CPUs that the affinity and the cgroup quota"
        " allow)",
        "one event loop can use one CPU",
    )
    pin: bool = option(
        True,
        on_or_off,
        "pin each worker to a CPU of its own: on or off; never under a quota of fewer CPUs",
        "pinned workers keep their caches warm; use off where CPUs are shared with other programs",
    )
    intra_op_threads: int = option(
        1,
        positive_integer,
        "onnxruntime's intra-op threads in each worker",
        "the layers of a small network are too short to parallelize, and other requests need the"
        " other CPUs",
    )
    inference_threads: int = option(
        0,
        thread_count,
        "threads in each worker that run models; 0 runs them on the event loop",
        "handing a request to a thread costs more than a run of a small model; use 1 if a run takes"
        " 10 ms",
    )
    max_batch_rows: int = option(
        256,
        positive_integer,
        "maximum number of rows when requests are batched into one run of a model",
        "larger batches do not reduce the cost per row, and every request waits for the whole run",
    )
    batch_delay_ms: float = option(
        0.0,
        duration("milliseconds"),
        "milliseconds that a request may wait for others to join its batch",
        "requests that arrive during a run are batched without any delay",
    )
    max_queue: int = option(
        128,
        positive_integer,
        "maximum number of waiting requests in each worker; further ones get 429",
        "128 requests of 256 rows take a third of a second; waiting longer helps nobody",
    )
    timeout: float = option(
        30.0,
        duration("seconds"),
        "maximum seconds from the receipt of a whole request to its response; then 504",
        "clients and load balancers rarely wait longer; X-Request-Timeout-Ms can ask for less",
    )
    max_connections: int = option(
        512,
        positive_integer,
        "maximum number of open connections in each worker; a new one replaces the one that has"
        " been idle for longest",
        "half of the usual limit of 1,024 file descriptors in a process",
    )
    idle_timeout: float = option(
        75.0,
        duration("seconds"),
        "seconds after which an idle connection is closed",
        "longer than the 60 s of most load balancers, so they do not reuse a connection that is"
        " being closed",
    )
    header_timeout: float = option(
        10.0,
        duration("seconds"),
        "maximum seconds to receive the request line and headers; then 408",
        "they fit into one or two packets",
    )
    min_body_rate: int = option(
        10_000,
        positive_integer,
        "minimum bytes per second of a request body, measured after the header timeout; below it"
        " 408",
        "even slow mobile networks are faster",
    )
    pages: bool = option(
        True,
        on_or_off,
        "serve the web pages at / and /docs, and the example of each model: on or off",
        "a model is easier to understand if it can be tried in a browser; use off where nobody may"
        " see the golden inputs",
    )
    api_keys: Path | None = option(
        None,
        Path,
        "file with the SHA-256 and name of each key that may request inference (default: no key is"
        " needed)",
        "a gateway in front of the server often authenticates clients already",
    )
    access_log: AccessLogMode = option(
        AccessLogMode.ERRORS,
        one_of(AccessLogMode),
        "requests to log as JSON on standard error: off, errors (status 400 and above), sampled"
        " (errors and one in a hundred others), all",
        "errors are what people look for in a log; the metrics count every request",
    )
    request_log: Path | None = option(
        None,
        Path,
        "file for a sample of requests: rows and outputs as JSON lines, nothing about clients"
        " (default: none)",
        "what clients send is theirs; keep it only if you need it",
    )
    request_log_rate: float = option(
        1.0,
        positive("rows a second"),
        "rows that each worker writes to the request log, at most, per second",
        "86,400 rows a day say more than enough about what clients send",
    )
    request_log_bytes: int = option(
        100 * 2**20,
        positive_integer,
        "size at which the request log is renamed to FILE.1, in place of an earlier one",
        "two files of this size are kept, about 50,000 images of 784 numbers",
    )
    drain_delay: float = option(
        0.0,
        duration("seconds"),
        "seconds to keep serving after SIGTERM, with readiness off, until load balancers notice",
        "0 is right without a load balancer; use about 5 under Kubernetes",
    )
    drain_timeout: float = option(
        25.0,
        duration("seconds"),
        "maximum seconds to finish requests in flight before the server stops",
        "SageMaker and Kubernetes kill a server after 30 s",
    )
    max_rows: int = option(
        1024,
        positive_integer,
        "maximum number of rows in a request; more get 413",
        "a request then takes tens of milliseconds at most, so others do not wait long behind it",
    )
    max_body_bytes: int = option(
        16 * 2**20,
        positive_integer,
        "maximum size of a request body in bytes; a larger one gets 413",
        "1,024 rows of 784 numbers with up to 20 characters each",
    )
    max_inflight_bytes: int = option(
        128 * 2**20,
        positive_integer,
        "maximum size in bytes of all request bodies that each worker keeps in memory; further ones"
        " get 429",
        "eight bodies of the maximum size, or 280 of 256 rows",
    )
    max_header_bytes: int = option(
        16 * 2**10,
        positive_integer,
        "maximum size in bytes of the request line and headers; larger ones get 431",
        "twice what most proxies accept",
    )


GROUPS = {
    "models": ("models", "default_model", "latest_versions", "poll_interval", "verify_key"),
    "address": ("host", "port", "server", "pages"),
    "access": ("api_keys", "admin_keys"),
    "processes and threads": ("workers", "pin", "intra_op_threads", "inference_threads"),
    "batching": ("max_batch_rows", "batch_delay_ms"),
    "overload": ("max_queue", "timeout"),
    "request size": ("max_rows", "max_body_bytes", "max_inflight_bytes", "max_header_bytes"),
    "connections": ("max_connections", "idle_timeout", "header_timeout", "min_body_rate"),
    "logging": ("access_log", "request_log", "request_log_rate", "request_log_bytes"),
    "shutdown": ("drain_delay", "drain_timeout"),
}
"""Every setting, by purpose: the order of ``--help`` and of docs/reference/settings.md."""
