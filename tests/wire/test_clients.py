"""Every call of every client does what it should, and docs/protocols.md says which there are."""

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Digits, run
from tests.servers.live import Server
from tests.wire.calls import ADMIN_KEY
from tests.wire.clients import CALLS

CLIENTS = ROOT / "build/clients/bin/python"


@pytest.fixture(scope="module")
def labelled(
    repository: Path, table_repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("labelled")
    models = shutil.copytree(repository, folder / "models")
    (models / "mnist/labels.json").write_text('{"stable": 1}')
    shutil.copytree(table_repository / "people", models / "people")
    keys = folder / "keys"
    keys.write_text(f"{hashlib.sha256(ADMIN_KEY.encode()).hexdigest()} admin\n")
    options = ("--default-model", "mnist", "--admin-keys", str(keys))
    with Server("--models", str(models), *options) as running:
        yield running


@pytest.mark.parametrize("client", CALLS)
def test_every_call_works(client: str, labelled: Server, work: Path, digits: Digits) -> None:
    answer = labelled.predict({"images": digits.images[:4].tolist()})
    done = run(
        *(CALLS[client], "-m", f"tests.wire.{client}_calls"),
        *(f"http://127.0.0.1:{labelled.port}", work / "subset.npz"),
        json.dumps(answer.json()["predictions"]),
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout.splitlines()[-1])
    assert {name: why for name, why in results.items() if why} == {}
    assert documented(client) == list(results)


def documented(client: str) -> list[str]:
    """The calls of a client in the table of docs/protocols.md, all of which are said to work."""
    text = (ROOT / "docs/protocols.md").read_text()
    return re.findall(rf"^\| {client} \| (.*?) \| works \|$", text, re.MULTILINE)
