"""Pulling a version from an object store."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.commands import call
from tests.conftest import Digits
from tests.export.versions.test_sign import make_key, sign
from tests.servers import object_store
from tests.servers.live import Server

SOURCE = "s3://store/models"


@pytest.fixture(scope="module")
def store() -> Iterator[dict[str, str]]:
    """An object store with an empty bucket; the environment of what uses it."""
    with object_store.running("store") as address:
        yield {
            "MLFLOW_S3_ENDPOINT_URL": address,
            "AWS_DEFAULT_REGION": "us-east-1",
            **object_store.KEYS,
        }


def upload(folder: Path, environment: dict[str, str]) -> None:
    """Make the bucket's models those of a folder."""
    s3 = object_store.client(environment["MLFLOW_S3_ENDPOINT_URL"])
    for one in s3.list_objects_v2(Bucket="store").get("Contents", ()):
        s3.delete_object(Bucket="store", Key=one["Key"])
    for path in filter(Path.is_file, folder.rglob("*")):
        s3.upload_file(str(path), "store", f"models/{path.relative_to(folder)}")


@pytest.fixture
def models(repository: Path, tmp_path: Path) -> Path:
    """A copy of a repository with version 1, which has the label champion."""
    shutil.copytree(repository / "mnist/1", tmp_path / "source/mnist/1")
    (tmp_path / "source/mnist/labels.json").write_text('{"champion": 1}')
    return tmp_path / "source"


def pulled(environment: dict[str, str], target: Path, *more: str | Path) -> tuple[int, str, str]:
    """Exit status, standard output and error of a pull of the champion."""
    arguments = ("pull", SOURCE, "mnist", *(more or ("champion",)), "--models", target)
    done = call("export", *arguments, cwd=target.parent, **environment)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_a_pulled_version_is_served(
    store: dict[str, str], models: Path, tmp_path: Path, digits: Digits
) -> None:
    upload(models, store)
    target = tmp_path / "models"
    for _ in range(2):  # the second time it is there
        status, out, err = pulled(store, target)
        assert (status, out) == (0, f"{target}/mnist/1\n"), err
    assert json.loads((target / "mnist/labels.json").read_text()) == {"champion": 1}
    assert sorted(path.name for path in target.iterdir()) == ["mnist"]
    with Server("--models", str(target)) as server:
        answer = server.predict({"images": digits.images[:100].tolist()}).json()
    right = sum(
        int(a == b) for a, b in zip(answer["predictions"], digits.labels[:100], strict=True)
    )
    assert right > 80


def test_a_damaged_version_is_refused(store: dict[str, str], models: Path, tmp_path: Path) -> None:
    graph = models / "mnist/1/model.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"?")
    upload(models, store)
    status, _, err = pulled(store, tmp_path / "models", "1")
    assert status == 1
    assert "model.onnx: checksum mismatch" in err
    assert list((tmp_path / "models").iterdir()) == []


def test_a_signature_is_asked_for(store: dict[str, str], models: Path, tmp_path: Path) -> None:
    upload(models, store)
    keys = make_key(tmp_path / "keys", ec.SECP256R1())
    asked = ("champion", "--key", keys / "public.pem")
    status, _, err = pulled(store, tmp_path / "models", *asked)
    assert status == 1
    assert "the version is not signed" in err
    sign(models, keys)
    upload(models, store)
    assert pulled(store, tmp_path / "models", *asked)[0] == 0


@pytest.mark.parametrize(
    ("version", "said"),
    [("challenger", "no label challenger; expected one of its labels: champion"), ("7", "mnist/7")],
)
def test_what_is_not_there_is_said(
    version: str, said: str, store: dict[str, str], models: Path, tmp_path: Path
) -> None:
    upload(models, store)
    status, _, err = pulled(store, tmp_path / "models", version)
    assert status == 1
    assert said in err
