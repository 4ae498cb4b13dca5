"""A PostgreSQL of its own that ends with its block."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import free_port
from tests.suite.programs import INITDB


@contextmanager
def running(*databases: str) -> Iterator[dict[str, str]]:
    """Gives the URL of each database."""
    programs = Path(str(INITDB.path())).resolve().parent  # its own folder has all of them
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    port = str(free_port())
    if os.getuid() == 0:  # as which it refuses to run
        shutil.chown(folder, "postgres", "postgres")

    def call(program: str, *arguments: str | Path) -> None:
        switch = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        subprocess.run(
            [*switch, str(programs / program), *map(str, arguments)],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    try:
        call("initdb", "-D", folder / "data", "-A", "trust", "-U", "onnxlet", "--no-sync")
        settings = f"-p {port} -h 127.0.0.1 -k {folder} -F"
        log = folder / "log"
        call("pg_ctl", "-D", folder / "data", "-l", log, "-w", "-o", settings, "start")
        try:
            urls = {}
            for name in databases:
                call("createdb", "-h", "127.0.0.1", "-p", port, "-U", "onnxlet", name)
                urls[name] = f"postgresql://onnxlet@127.0.0.1:{port}/{name}"
            yield urls
        finally:
            call("pg_ctl", "-D", folder / "data", "-m", "fast", "-w", "stop")
    finally:
        shutil.rmtree(folder)
