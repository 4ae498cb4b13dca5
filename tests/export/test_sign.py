"""Signatures: made here, checked here, by the reference library, and by the server."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from model_signing import verifying

from bundle import store
from bundle.errors import BundleError
from tests.conftest import python_environment, run
from tests.live_server import Server


def make_key(folder: Path, curve: ec.EllipticCurve) -> Path:
    """A pair of keys, ``private.pem`` and ``public.pem``, in a folder that is made."""
    folder.mkdir()
    key = ec.generate_private_key(curve)
    pem = serialization.Encoding.PEM
    (folder / "private.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "public.pem").write_bytes(
        key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return folder


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("keys") / "own", ec.SECP256R1())


@pytest.fixture(scope="module")
def other_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("keys") / "other", ec.SECP256R1())


@pytest.fixture
def models(repository: Path, tmp_path: Path) -> Path:
    """A copy of the repository with one version, not signed."""
    shutil.copytree(repository / "mnist/1", tmp_path / "models/mnist/1")
    return tmp_path / "models"


def export(*arguments: str | Path) -> tuple[int, str]:
    done = run(sys.executable, "-m", "export", *arguments, env=python_environment())
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def sign(models: Path, keys: Path) -> None:
    status, err = export("sign", models / "mnist/1", "--key", keys / "private.pem")
    assert (status, err) == (0, f"wrote {models}/mnist/1/model.sig\n")


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_a_signed_version_is_read_with_its_key(
    models: Path, tmp_path: Path, curve: ec.EllipticCurve
) -> None:
    keys = make_key(tmp_path / "keys", curve)
    sign(models, keys)
    assert store.read(models, "mnist", 1, keys / "public.pem").manifest


def test_the_reference_library_takes_it(models: Path, keys: Path) -> None:
    sign(models, keys)
    folder = models / "mnist/1"
    config = verifying.Config().use_elliptic_key_verifier(public_key=keys / "public.pem")
    config.verify(folder, folder / "model.sig")
    (folder / "more").write_text("not signed")
    with pytest.raises(ValueError, match="Extra files found"):
        config.verify(folder, folder / "model.sig")


def altered_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace("mnist", "other"))


def altered_model_and_manifest(folder: Path) -> None:
    """As somebody does who knows of the checksums."""
    import hashlib

    model, manifest = folder / "model.onnx", folder / "manifest.json"
    before = hashlib.sha256(model.read_bytes()).hexdigest()
    model.write_bytes(model.read_bytes() + b"\0")
    after = hashlib.sha256(model.read_bytes()).hexdigest()
    manifest.write_text(manifest.read_text().replace(before, after))


def without_manifest(folder: Path) -> None:
    """A version without one would be served unchecked."""
    for path in folder.iterdir():
        if path.name not in ("model.onnx", "model.sig"):
            path.unlink()
    (folder / "model.onnx").write_bytes(b"another")


def unsigned(folder: Path) -> None:
    (folder / "model.sig").unlink()


def not_a_signature(folder: Path) -> None:
    (folder / "model.sig").write_text('{"dsseEnvelope": []}')


ALTERATIONS = [
    (altered_manifest, "manifest.json: altered after it was signed"),
    (altered_model_and_manifest, "manifest.json: altered after it was signed"),
    (without_manifest, "model.onnx: altered after it was signed"),
    (unsigned, "model.sig: missing; the version is not signed"),
    (not_a_signature, "model.sig: not a signature of a model"),
]


@pytest.mark.parametrize(("alter", "message"), ALTERATIONS)
def test_what_was_altered_is_refused(
    models: Path, keys: Path, alter: Callable[[Path], None], message: str
) -> None:
    sign(models, keys)
    alter(models / "mnist/1")
    with pytest.raises(BundleError, match=message):
        store.read(models, "mnist", 1, keys / "public.pem")
    status, err = export("verify", models / "mnist/1", "--key", keys / "public.pem")
    assert status == 1
    assert message in err


def test_another_key_is_refused(models: Path, keys: Path, other_keys: Path) -> None:
    sign(models, keys)
    with pytest.raises(BundleError, match=r"was not made with the key of .*public\.pem"):
        store.read(models, "mnist", 1, other_keys / "public.pem")


def test_a_payload_that_was_swapped_is_refused(models: Path, keys: Path) -> None:
    """The signature of the one, the statement of the other."""
    import base64
    import json

    sign(models, keys)
    path = models / "mnist/1/model.sig"
    document = json.loads(path.read_text())
    payload = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
    payload["predicate"]["resources"][0]["digest"] = "0" * 64
    encoded = base64.b64encode(json.dumps(payload).encode()).decode()
    document["dsseEnvelope"]["payload"] = encoded
    path.write_text(json.dumps(document))
    with pytest.raises(BundleError, match="was not made with the key"):
        store.read(models, "mnist", 1, keys / "public.pem")


def test_a_file_that_is_no_key_is_said(models: Path, keys: Path, tmp_path: Path) -> None:
    sign(models, keys)
    (tmp_path / "text").write_text("no key")
    rejected = make_key(tmp_path / "k1", ec.SECP256K1())
    for file, reason in (
        (tmp_path / "none", "No such file"),
        (tmp_path / "text", ""),
        (keys / "private.pem", ""),
        (rejected / "public.pem", "its curve is SECP256k1"),
    ):
        with pytest.raises(BundleError, match=rf"not a public key in PEM .*{reason}"):
            store.read(models, "mnist", 1, file)
    status, err = export("sign", models / "mnist/1", "--key", keys / "public.pem")
    assert status == 1
    assert "public.pem: not a private key in PEM" in err
    status, err = export("sign", models / "mnist/1", "--key", tmp_path / "none")
    assert (status, err) == (1, f"export: {tmp_path}/none: No such file or directory\n")


def test_a_damaged_version_is_not_signed(models: Path, keys: Path) -> None:
    with (models / "mnist/1/model.onnx").open("ab") as file:
        file.write(b"more")
    status, err = export("sign", models / "mnist/1", "--key", keys / "private.pem")
    assert status == 1
    assert "checksum mismatch" in err
    assert not (models / "mnist/1/model.sig").exists()


def test_the_server_serves_what_is_signed_alone(models: Path, keys: Path, other_keys: Path) -> None:
    shutil.copytree(models / "mnist/1", models / "mnist/2")
    manifest = models / "mnist/2/manifest.json"
    manifest.write_text(manifest.read_text().replace('"version": 1', '"version": 2'))
    sign(models, keys)
    options = ("--models", str(models), "--require-signature", str(keys / "public.pem"))
    with Server(*options) as server:
        index = server.request("POST", "/v2/repository/index", b"{}").json()
        states = {one["version"]: (one["state"], one.get("reason", "")) for one in index}
        assert states["1"][0] == "READY"
        assert states["2"][0] == "UNAVAILABLE"
        assert "model.sig: missing; the version is not signed" in states["2"][1]
    command = Server(*options[:3], str(other_keys / "public.pem")).command
    refused = run(*command, env=python_environment())
    assert refused.returncode == 1
    assert "was not made with the key of" in refused.stderr
