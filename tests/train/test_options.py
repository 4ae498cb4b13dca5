import dataclasses

import pytest

from train import options
from train.options import Options


def test_defaults_are_those_of_the_table() -> None:
    assert options.parse([]) == Options()


def test_reads_every_option() -> None:
    argv = (
        "--data d --cache c --hidden 512,256 --dropout 0 --l2 1e-4 --batch-norm --optimizer sgd"
        " --learning-rate 0.5 --momentum 0.9 --epochs 3 --batch-size 32 --validation-split 0.2"
        " --seed 7 --experiment e"
    )
    chosen = options.parse(argv.split())
    assert chosen.hidden == (512, 256)
    assert (chosen.l2, chosen.momentum, chosen.effective_learning_rate) == (1e-4, 0.9, 0.5)
    unchanged = [
        field.name
        for field in dataclasses.fields(Options)
        if getattr(chosen, field.name) == field.default
    ]
    assert unchanged == []


def test_each_optimizer_has_its_own_learning_rate() -> None:
    assert options.parse(["--optimizer", "sgd"]).effective_learning_rate == 0.1
    assert options.parse(["--optimizer", "adamw"]).effective_learning_rate == 0.001


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("--hidden 0", "expected a whole number of at least 1, got 0"),
        ("--hidden 12,", "expected a whole number of at least 1, got "),
        ("--dropout 1", "expected a number between 0 and 1, got 1"),
        ("--dropout half", "expected a number, got half"),
        ("--validation-split 0", "expected a number between 0 and 1, got 0"),
        ("--learning-rate nan", "expected a number above 0, got nan"),
        ("--l2 -1", "expected a number above 0, got -1"),
        ("--seed -1", "expected a whole number below 2**32, got -1"),
        ("--optimizer adagrad", "invalid choice: 'adagrad'"),
        ("--momentum 0.9", "--momentum goes with sgd or rmsprop"),
        ("--epoch 3", "unrecognized arguments: --epoch 3"),
    ],
)
def test_refuses_wrong_values(argv: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        options.parse(argv.split())
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_help_explains_every_option_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options.parse(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    for field in dataclasses.fields(Options):
        assert f"--{field.name.replace('_', '-')}" in text
    assert text.count("(default: ") == len(dataclasses.fields(Options))
    assert "(default: 512)" in text
