import hashlib
import json
import re
import sys
from pathlib import Path

import pytest

from serve.errors import StartError, Unauthorized
from serve.inference import api_keys
from serve.inference.api_keys import ApiKeys
from tests.conftest import ROOT, Digits, run
from tests.servers.live import Server
from tests.servers.processes import eventually
from tests.servers.two_step_client import ask


def line(key: str, name: str) -> str:
    return f"{hashlib.sha256(key.encode()).hexdigest()}  {name}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text("# who may ask\n\n" + line("first", "alice") + line("second", "bob"))
    return path


def test_guards_inference_and_nothing_else(repository: Path, digits: Digits, file: Path) -> None:
    document = {"image": digits.images[0].tolist()}
    arguments = ("--models", str(repository), "--api-keys", str(file), "--workers", "1")
    with Server(*arguments) as server:
        assert server.request("GET", "/v2/health/ready").status == 200
        assert server.request("GET", "/metrics").status == 200
        answer = server.predict(document)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json()["error"].startswith("expected a key, as Authorization: Bearer KEY")
        assert ask(server, document, Authorization="Bearer third").status == 401
        assert ask(server, document, Authorization="Basic first").status == 401
        assert server.request("POST", "//predict", json.dumps(document)).status == 401
        assert ask(server, document, X_API_Key="f\xefrst").status == 401
        for headers in (
            {"Authorization": "Bearer first"},
            {"Authorization": "bearer second"},
            {"X_API_Key": "second"},
        ):
            assert ask(server, document, **headers).json()["prediction"] == 7
        file.write_text(line("third", "carol"))
        assert eventually(lambda: ask(server, document, Authorization="Bearer third").status == 200)
        assert ask(server, document, Authorization="Bearer first").status == 401


def test_logs_name_keys_and_do_not_have_them(repository: Path, digits: Digits, file: Path) -> None:
    file.write_text(line("topsecret", "alice"))
    document = {"image": digits.images[0].tolist()}
    arguments = ("--models", str(repository), "--api-keys", str(file), "--access-log", "all")
    with Server(*arguments, "--workers", "1") as server:
        for key in ("topsecret", "othersecret"):
            ask(server, document, Authorization=f"Bearer {key}")
            ask(server, document, X_API_Key=key)
            server.request("POST", f"/predict?key={key}", "{")
        _, _, log = server.end(15)
    entries = [json.loads(entry) for entry in log.splitlines() if entry.startswith("{")]
    assert [entry["status"] for entry in entries] == [200, 200, 401, 401, 401, 401]
    assert [entry.get("key") for entry in entries] == ["alice"] * 2 + [None] * 4
    assert "secret" not in log


def test_names_the_key(file: Path) -> None:
    keys = ApiKeys(file)
    assert keys.check({"AUTHORIZATION": "Bearer second"}) == "bob"
    assert keys.check({"X_API_KEY": "first"}) == "alice"


@pytest.mark.parametrize("place", [0, 1, 2, 31, 32, 63])
def test_every_digit_of_a_digest_counts(tmp_path: Path, place: int) -> None:
    digest = hashlib.sha256(b"first").hexdigest()
    other = digest[:place] + f"{int(digest[place], 16) ^ 1:x}" + digest[place + 1 :]
    (tmp_path / "keys").write_text(f"{other}  alice\n")
    with pytest.raises(Unauthorized):
        ApiKeys(tmp_path / "keys").check({"X_API_KEY": "first"})


def test_a_file_that_breaks_leaves_the_keys_as_they_were(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(api_keys, "CHECK_SECONDS", 0)
    keys = ApiKeys(file)
    file.write_text("first alice\n")
    assert keys.check({"X_API_KEY": "first"}) == "alice"
    assert f"{file}, line 1: expected the SHA-256 of a key in hex" in caplog.text
    file.unlink()
    assert keys.check({"X_API_KEY": "first"}) == "alice"
    file.write_text("# all are gone\n")
    with pytest.raises(Unauthorized, match="not known"):
        keys.check({"X_API_KEY": "first"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory"),
        ("", "contains no key"),
        ("secret\n", "line 1: expected the SHA-256 of a key in hex, then a name"),
    ],
)
def test_does_not_start_with_a_file_that_is_wrong(
    repository: Path, tmp_path: Path, content: str | None, message: str
) -> None:
    path = tmp_path / "keys"
    if content is not None:
        path.write_text(content)
    with pytest.raises(StartError, match=message):
        ApiKeys(path)
    done = run(sys.executable, "-m", "serve", "--models", repository, "--api-keys", path)
    assert done.returncode == 1
    assert message in done.stderr
    assert "secret" not in done.stderr


def test_a_key_made_as_documented_is_known(tmp_path: Path) -> None:
    (commands,) = re.findall(
        r"^(key=.*?)```", (ROOT / "docs/serving.md").read_text(), re.MULTILINE | re.DOTALL
    )
    done = run("sh", "-ec", commands + 'printf %s "$key"', cwd=tmp_path)
    assert len(done.stdout) > 40
    assert ApiKeys(tmp_path / "keys").check({"X_API_KEY": done.stdout}) == "alice"
