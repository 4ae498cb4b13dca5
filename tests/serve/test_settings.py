import dataclasses
import re
from pathlib import Path

import pytest

from serve import command_line, settings
from tests.conftest import ROOT

FIELDS = dataclasses.fields(settings.Settings)


def test_flag_beats_environment_beats_default() -> None:
    assert command_line.load([], {}).port == 8080
    assert command_line.load([], {"SERVE_PORT": "81"}).port == 81
    assert command_line.load(["--port", "82"], {"SERVE_PORT": "81"}).port == 82
    sagemaker = {"SAGEMAKER_BIND_TO_PORT": "83"}
    assert command_line.load([], sagemaker).port == 83
    assert command_line.load([], {**sagemaker, "SERVE_PORT": "81"}).port == 81
    assert command_line.load([], {"SERVE_MODELS": "elsewhere"}).models == Path("elsewhere")


@pytest.mark.parametrize(
    ("argv", "environ", "message"),
    [
        (["--port", "70000"], {}, "argument --port: expected a port from 0 to 65535, got 70000"),
        ([], {"SERVE_PORT": "http"}, "argument --port: expected a port from 0 to 65535, got http"),
        ([], {"SAGEMAKER_BIND_TO_PORT": "-1"}, "--port: expected a port from 0 to 65535, got -1"),
        (["--max-rows", "0"], {}, "argument --max-rows: expected a whole number of at least 1"),
        (["--pin", "yes"], {}, "argument --pin: expected on or off, got yes"),
        (["--drain-delay", "soon"], {}, "expected seconds, a number from 0 up, got soon"),
        (["--prot", "80"], {}, "unrecognized arguments: --prot 80"),
        (["--por", "80"], {}, "unrecognized arguments: --por 80"),
    ],
)
def test_refuses_wrong_values(
    argv: list[str], environ: dict[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        command_line.load(argv, environ)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_help_shows_every_setting_and_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.load(["--help"], {"SERVE_PORT": "81"})
    text = " ".join(capsys.readouterr().out.split())
    for field in FIELDS:
        assert f"{command_line.flag(field.name)} " in text
        assert field.metadata["reason"]
    assert "(default: 8080)" in text
    assert "(default: 81)" not in text


def test_every_setting_has_one_purpose() -> None:
    names = [name for names in settings.GROUPS.values() for name in names]
    assert sorted(names) == sorted(field.name for field in FIELDS)


def test_every_setting_is_used() -> None:
    code = "".join(path.read_text() for path in (ROOT / "serve").rglob("*.py"))
    unused = [f.name for f in FIELDS if not re.search(rf"(settings|chosen)\.{f.name}\b", code)]
    assert unused == []
