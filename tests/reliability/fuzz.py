"""Bytes for the parsers, led by what they reach in the code (libFuzzer, through atheris).

``build/fuzz/bin/python -m tests.reliability.fuzz PARSER``, after ``make build/fuzz/.installed``.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["serve", "tests.reliability.reference"]):
    from serve.errors import ServeError
    from serve.http import request_head
    from serve.http.request_body import ChunkedBody
    from serve.protocols import mlflow, oip, predict, tfserving
    from tests.reliability import parsing
    from tests.reliability.documents import LENGTH, Document
    from tests.reliability.parsing import MODELS

SECONDS = 100  # for each of the six parsers: ten minutes
_PROTOCOLS = {"predict": predict, "tfserving": tfserving, "mlflow": mlflow, "oip": oip}
_LONGEST = 4096


def _protocol(name: str) -> Callable[[bytes], None]:
    """Read what follows a byte that chooses the model, and one that says what the rest is."""

    def read(data: bytes) -> None:
        if len(data) < 2:
            return
        model_spec, body = MODELS[data[0] % len(MODELS)], data[2:]
        headers = {}
        if name == "mlflow" and data[1] % 4 == 1:
            headers["CONTENT_TYPE"] = "text/csv"
        if name == "oip" and data[1]:
            headers[LENGTH] = str(min(4 * data[1], len(body)))
        document = Document(_PROTOCOLS[name], body, headers)
        result = parsing.check(document, model_spec)
        if isinstance(result, str):
            raise AssertionError(result)

    return read


def _head(data: bytes) -> None:
    try:
        request_head.parse(data)
    except ServeError:
        return


def _chunks(data: bytes) -> None:
    """The same body comes of the same bytes, whatever parts they come in."""
    outcomes = []
    for size in (len(data) or 1, 3):
        body = ChunkedBody(_LONGEST)
        rest: bytes | None = None
        try:
            for begin in range(0, len(data), size):
                rest = body.feed(data[begin : begin + size])
                if rest is not None:
                    rest += data[begin + size :]
                    break
            outcomes.append((body.take() if rest is not None else None, rest))
        except ServeError as error:
            outcomes.append((None, str(error.status).encode()))
    assert outcomes[0] == outcomes[1], outcomes


PARSERS = {name: _protocol(name) for name in _PROTOCOLS} | {"head": _head, "chunks": _chunks}


def _write_seeds(name: str, folder: Path) -> None:
    """Proper requests to begin with."""
    random = Random(0)
    for number in range(200):
        place = random.randrange(len(MODELS))
        document = parsing.proper_request(random, MODELS[place])
        if name in _PROTOCOLS and document.protocol is _PROTOCOLS[name]:
            length = int(document.headers.get(LENGTH, 0))
            kind = 1 if "CONTENT_TYPE" in document.headers else -(-length // 4) % 256
            (folder / str(number)).write_bytes(bytes([place, kind]) + document.body)
    (folder / "head").write_bytes(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n")
    (folder / "chunks").write_bytes(b"4;x=1\r\nabcd\r\n0\r\nX: 1\r\n\r\nrest")


def _fuzz(name: str, seconds: int) -> int:
    """Fuzz a parser in a process of its own, as libFuzzer ends its process."""
    with tempfile.TemporaryDirectory() as folder:
        _write_seeds(name, Path(folder))
        command = [sys.executable, "-m", "tests.reliability.fuzz", "--in-process", name]
        limits = [f"-max_total_time={seconds}", f"-max_len={_LONGEST}", "-rss_limit_mb=2048"]
        limits.append(f"-artifact_prefix={folder}/")  # what fails is printed, too
        return subprocess.run([*command, *limits, folder], check=False).returncode


def main() -> int:
    """Run the command line; returns 1 where a parser failed."""
    if sys.argv[1:2] == ["--in-process"]:
        atheris.Setup([sys.argv[0], *sys.argv[3:]], PARSERS[sys.argv[2]])
        atheris.Fuzz()
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.fuzz", description=__doc__)
    parser.add_argument("parsers", nargs="*", choices=[[], *PARSERS], metavar="PARSER")
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"each (default: {SECONDS})")
    wanted = parser.parse_args()
    failed = [name for name in wanted.parsers or PARSERS if _fuzz(name, wanted.seconds)]
    print(f"failed: {', '.join(failed)}" if failed else "no parser failed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
