"""Signatures: made here, checked here, by the reference library, and by the server."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from model_signing import signing, verifying

from bundle import reader
from bundle.errors import BundleError
from tests.commands import call
from tests.conftest import ROOT, python_environment, run
from tests.servers.live import Server

UNENCRYPTED = (
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)


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
    done = call("export", *arguments, cwd=ROOT)
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
    assert reader.read_version(models, "mnist", 1, keys / "public.pem").manifest


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


def stripped(folder: Path) -> None:
    """The model as it was signed, but nothing that says what it is."""
    (folder / "manifest.json").unlink()
    (folder / "golden.npz").unlink()


def unsigned(folder: Path) -> None:
    (folder / "model.sig").unlink()


def not_a_signature(folder: Path) -> None:
    (folder / "model.sig").write_text('{"dsseEnvelope": []}')


ALTERATIONS = [
    (altered_manifest, "manifest.json: altered after it was signed"),
    (altered_model_and_manifest, "manifest.json: altered after it was signed"),
    (stripped, "manifest.json: missing"),
    (unsigned, "model.sig: missing; the version is not signed"),
    (not_a_signature, "model.sig: not a signature of a model"),
]


def test_a_signed_folder_that_does_not_say_what_it_is_is_refused(models: Path, keys: Path) -> None:
    """Else it could be put in the place of any version of any model."""
    folder = models / "mnist/1"
    for file in set(folder.iterdir()) - {folder / "model.onnx"}:
        file.unlink()
    status, err = export("sign", folder, "--key", keys / "private.pem")
    assert (status, err.splitlines()) == (
        1,
        [
            f"export: {folder}: has no manifest.json, so a signature could not cover its name;"
            " python -m export import publishes a model with one"
        ],
    )
    config = signing.Config()  # type: ignore[no-untyped-call]
    signer = config.use_elliptic_key_signer(private_key=keys / "private.pem")
    signer.sign(folder, folder / "model.sig")
    with pytest.raises(BundleError, match="does not say which version of which model this is"):
        reader.read_version(models, "mnist", 1, keys / "public.pem")


@pytest.mark.parametrize(("alter", "message"), ALTERATIONS)
def test_what_was_altered_is_refused(
    models: Path, keys: Path, alter: Callable[[Path], None], message: str
) -> None:
    sign(models, keys)
    alter(models / "mnist/1")
    with pytest.raises(BundleError, match=message):
        reader.read_version(models, "mnist", 1, keys / "public.pem")
    status, err = export("verify", models / "mnist/1", "--key", keys / "public.pem")
    assert status == 1
    assert message in err


@pytest.mark.parametrize("place", ["mnist/9", "other/1"])
def test_a_version_is_signed_for_its_place(models: Path, keys: Path, place: str) -> None:
    """Else whoever can write to the repository could bring back an old version as the newest."""
    sign(models, keys)
    shutil.copytree(models / "mnist/1", models / place)
    name, version = place.split("/")
    with pytest.raises(BundleError, match="was signed as version 1 of mnist, not as this"):
        reader.read_version(models, name, int(version), keys / "public.pem")


@pytest.mark.parametrize("stranger", ["more/model-settings.json", ".hidden", "link"])
def test_files_that_were_not_published_are_neither_signed_nor_verified(
    models: Path, keys: Path, stranger: str
) -> None:
    folder = models / "mnist/1"
    sign(models, keys)
    path = folder / stranger
    path.parent.mkdir(exist_ok=True)
    path.symlink_to("/etc/hostname") if stranger == "link" else path.write_text("{}")
    for command in (("verify", folder, "--key", keys / "public.pem"), ("sign", folder)):
        key = () if "--key" in command else ("--key", keys / "private.pem")
        status, err = export(*command, *key)
        assert status == 1
        assert stranger in err
        assert "not published with this version" in err


def test_signing_again_by_a_relative_path(models: Path, keys: Path) -> None:
    command = ("export", "sign", "models/mnist/1", "--key", keys / "private.pem")
    for _ in (1, 2):
        done = call(*command, cwd=models.parent)
        assert (done.returncode, done.stderr) == (0, "wrote models/mnist/1/model.sig\n")
    folder = models / "mnist/1"
    config = verifying.Config().use_elliptic_key_verifier(public_key=keys / "public.pem")
    config.verify(folder, folder / "model.sig")
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == []


def test_another_key_is_refused(models: Path, keys: Path, other_keys: Path) -> None:
    sign(models, keys)
    with pytest.raises(BundleError, match=r"was not made with the key of .*public\.pem"):
        reader.read_version(models, "mnist", 1, other_keys / "public.pem")


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
        reader.read_version(models, "mnist", 1, keys / "public.pem")


def test_a_file_that_is_no_key_is_said(models: Path, keys: Path, tmp_path: Path) -> None:
    sign(models, keys)
    (tmp_path / "text").write_text("no key")
    rejected = make_key(tmp_path / "k1", ec.SECP256K1())
    for file, reason in (
        (tmp_path / "none", "No such file"),
        (tmp_path / "text", "Invalid base64"),
        (keys / "private.pem", ""),
        (rejected / "public.pem", "its curve is SECP256k1"),
    ):
        with pytest.raises(BundleError, match=rf"not a public key in PEM .*{reason}"):
            reader.read_version(models, "mnist", 1, file)
    status, err = export("sign", models / "mnist/1", "--key", keys / "public.pem")
    assert status == 1
    assert "public.pem: not a private key in PEM" in err
    for name, key in (
        ("rsa", rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        ("ed25519", ed25519.Ed25519PrivateKey.generate()),
    ):
        (tmp_path / name).write_bytes(key.private_bytes(*UNENCRYPTED))
        status, err = export("sign", models / "mnist/1", "--key", tmp_path / name)
        assert status == 1
        assert f"{name}: not a private key in PEM" in err
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
    options = ("--models", str(models), "--verify-key", str(keys / "public.pem"))
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
