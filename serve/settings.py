"""Every knob of the server, in one table.

A value comes from the command line, else from the environment (``SERVE_PORT`` for
``--port``), else from the default here.
"""

import argparse
import dataclasses
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serve.option_types import choice, count, duration, few, knob, port, switch


class Logged(enum.Enum):
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
    """How to serve."""

    models: Path = knob(
        Path("models"),
        Path,
        "model repository: a folder with NAME/VERSION/model.onnx",
        "where `python -m export` publishes",
    )
    name: str | None = knob(
        None,
        str,
        "the model that answers where a request names none, as at /predict (default: the only one)",
        "a repository with one model leaves no choice",
    )
    versions: int = knob(
        2,
        count,
        "newest versions of each model to serve, beside those that have a label",
        "the one before the newest is what one goes back to",
    )
    poll_seconds: float = knob(
        5.0,
        duration("seconds"),
        "seconds between two looks at the repository for new versions; 0 looks only at SIGHUP, and"
        " when a model is loaded over HTTP",
        "one look takes milliseconds, in a process of its own",
    )
    admin_keys: Path | None = knob(
        None,
        Path,
        "file of keys like that of --api-keys, for those who may load and unload models over HTTP"
        " (default: nobody may)",
        "who can write to the repository needs no other way",
    )
    require_signature: Path | None = knob(
        None,
        Path,
        "public key, PEM; only versions that `python -m export sign` signed with its private key"
        " are served (default: all are)",
        "who can write to the repository is trusted, unless said otherwise",
    )
    host: str = knob(
        "127.0.0.1",
        str,
        "address to listen on; 0.0.0.0 for all",
        "nothing is open to the network unless asked for",
    )
    port: int = knob(
        8080, port, "port to listen on; 0 takes a free one", "the port that SageMaker expects"
    )
    server: HttpServer = knob(
        HttpServer.EPOLL,
        choice(HttpServer),
        "epoll, or waitress: the same application in one process with threads, without batching,"
        " deadlines, reloads and most limits",
        "waitress is for debugging, and for systems without epoll",
    )
    workers: int | None = knob(
        None,
        count,
        "worker processes (default: the CPUs that affinity and cgroup quota give)",
        "one event loop keeps one CPU busy",
    )
    pin: bool = knob(
        True,
        switch,
        "keep each worker on a CPU of its own: on or off",
        "a worker that stays finds its caches warm; off where CPUs are shared with others",
    )
    ort_threads: int = knob(
        1,
        count,
        "onnxruntime's threads in each worker",
        "a small network's layers are too short to share out; other requests want the other CPUs",
    )
    threads: int = knob(
        0,
        few,
        "threads in each worker that run the model; 0 runs it on the event loop",
        "handing a request over costs more than a small model's run; 1 where a run takes 10 ms",
    )
    max_batch: int = knob(
        256,
        count,
        "most rows of requests that are joined into one run of the model",
        "beyond it a row costs no less, and everybody in the run waits for the whole of it",
    )
    batch_delay: float = knob(
        0.0,
        duration("milliseconds"),
        "milliseconds that a request waits for others to share its run",
        "those that come while a run is under way share the next one as it is",
    )
    max_queue: int = knob(
        128,
        count,
        "most requests that wait in each worker; more get 429",
        "256 rows each, they are worked off in a third of a second; later answers help nobody",
    )
    timeout: float = knob(
        30.0,
        duration("seconds"),
        "longest time in seconds for a request, once it has come in whole; after it 504",
        "what clients and load balancers wait for; X-Request-Timeout-Ms asks for less",
    )
    max_connections: int = knob(
        512,
        count,
        "most open connections in each worker; the longest idle one makes room for another",
        "half of the 1,024 descriptors that a process usually may have",
    )
    idle_timeout: float = knob(
        75.0,
        duration("seconds"),
        "seconds of silence after which a connection is closed",
        "more than the 60 of most load balancers, which so never use one that is being closed",
    )
    head_timeout: float = knob(
        10.0,
        duration("seconds"),
        "longest time in seconds for a request's head to come in; after it 408",
        "a head is one packet or two",
    )
    min_body_rate: int = knob(
        10_000,
        count,
        "slowest pace, in bytes a second, for a body once the head's time is over; below it 408",
        "slower than any modem that still works",
    )
    pages: bool = knob(
        True,
        switch,
        "serve the web pages at / and /docs, and the example of each model: on or off",
        "a model that can be tried in a browser is easier to understand; off where nobody may see"
        " the golden inputs",
    )
    api_keys: Path | None = knob(
        None,
        Path,
        "file with the SHA-256 and the name of each key that may ask for inference (default: none"
        " is asked for)",
        "behind a gateway that knows its clients there is nothing to ask",
    )
    access_log: Logged = knob(
        Logged.ERRORS,
        choice(Logged),
        "requests to log as JSON on standard error: off, errors (status 400 and above), sampled"
        " (and one in a hundred others), all",
        "errors are what one looks for in a log; the metrics count everything",
    )
    drain_delay: float = knob(
        0.0,
        duration("seconds"),
        "seconds to go on after SIGTERM, not ready, until load balancers have noticed",
        "none where nobody balances; about 5 under Kubernetes",
    )
    drain_timeout: float = knob(
        25.0,
        duration("seconds"),
        "longest time in seconds to finish requests in flight before the end",
        "SageMaker and Kubernetes kill after 30",
    )
    max_rows: int = knob(
        1024,
        count,
        "most rows in one request; more get 413",
        "keeps any one request within tens of milliseconds, so nobody waits long behind it",
    )
    max_body_bytes: int = knob(
        16 * 2**20,
        count,
        "longest request body in bytes; a longer one gets 413",
        "1,024 rows of 784 numbers with up to 20 characters each",
    )
    max_held_bytes: int = knob(
        128 * 2**20,
        count,
        "most bytes of bodies that each worker holds at once; a body too many gets 429",
        "eight of the longest bodies, or 280 of 256 rows",
    )
    max_head_bytes: int = knob(
        16 * 2**10,
        count,
        "longest request line and headers together, in bytes; longer ones get 431",
        "twice what most proxies let through",
    )


def flag(name: str) -> str:
    """The command-line option of a setting."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return "SERVE_" + name.upper()


def shown(default: Any) -> str:
    """A default as one would write it on the command line."""
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, enum.Enum):
        return str(default.value)
    return "" if default is None else str(default)


def load(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read the settings; ends the process with status 2 where one is wrong."""
    return load_command(argv, environ)[2]


def load_command(argv: Sequence[str], environ: Mapping[str, str]) -> tuple[str, str, Settings]:
    """Read the command, the file that ``predict`` takes (else empty), and the settings."""
    command, rest = ("serve", argv)
    if argv and argv[0] in _COMMANDS:
        command, rest = argv[0], argv[1:]
    parser = _parser(environ)
    parser.set_defaults(file="")
    if command == "predict":
        parser.add_argument("file", metavar="FILE", help="a request body; - for standard input")
    given = vars(parser.parse_args(rest))
    return command, given.pop("file"), Settings(**given)


_COMMANDS = ("serve", "check", "predict", "health")


class _Version(argparse.Action):
    """Prints versions and ends the process; they are looked up only when they are asked for."""

    def __call__(self, *_: Any) -> None:
        from serve import version

        print(version.text())
        raise SystemExit(0)


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m serve",
        usage="%(prog)s [serve | check | predict FILE | health] [options]",
        allow_abbrev=False,  # an abbreviation may mean another setting in the next release
        description="Serve the published models over HTTP; or check that it can"
        " be served, and tell what it is; or predict: answer the request body in FILE (- for"
        " standard input) without HTTP; or health: ask the server on this machine whether it is"
        " ready. Every option can also be set in the environment: SERVE_PORT"
        " for --port.",
    )
    parser.add_argument(
        "--version",
        nargs=0,
        action=_Version,
        dest=argparse.SUPPRESS,
        help="tell what this is, and what it is made of",
    )
    for setting in dataclasses.fields(Settings):
        default = f" (default: {shown(setting.default)})" if setting.default is not None else ""
        parser.add_argument(
            flag(setting.name),
            type=setting.metadata["parse"],
            # argparse reads a default that is text as if it had been given. An empty variable
            # counts as none: that is what ${NAME:-} in a compose file comes to.
            default=environ.get(variable(setting.name)) or setting.default,
            help=setting.metadata["help"] + default,
            metavar=setting.name.rpartition("_")[2].upper(),
        )
    return parser
