import dataclasses
import json
from pathlib import Path

import pytest

from train import preset, run_arguments, run_options
from train.run_arguments import Resume, Start
from train.run_options import Options, of_preset


def parse(line: str) -> Options:
    command = run_arguments.parse(line.split())
    assert isinstance(command, Start)
    return command.options


def chosen_preset(line: str) -> str:
    command = run_arguments.parse(line.split())
    assert isinstance(command, Start)
    return command.preset


@pytest.mark.parametrize("data", ["digits", "penguins", "a.csv b.csv", "a.parquet"])
def test_a_table_has_the_preset_of_small_data(data: str) -> None:
    assert chosen_preset(f"--data {data}") == "small"
    assert parse(f"--data {data}") == of_preset("small", data=tuple(data.split()))
    assert chosen_preset(f"--data {data} --preset fast") == "fast"


def test_other_data_have_the_default_preset() -> None:
    assert {chosen_preset(line) for line in ("", "--data a.npz")} == {"default"}


def test_defaults_are_those_of_the_preset() -> None:
    assert parse("") == of_preset("default")
    assert parse("--preset accurate") == of_preset("accurate")
    assert parse("--preset=accurate --no-augment") == of_preset("accurate", augment=False)


@pytest.mark.parametrize("name", preset.names())
def test_every_preset_goes_together_and_says_why(name: str) -> None:
    assert of_preset(name).conflict() == ""
    lines = (preset.FOLDER / f"{name}.toml").read_text().splitlines()
    values = [line for line in lines if line and line[0] not in "# "]
    assert lines[0].startswith("# ")
    assert [line for line in values if "  # " not in line] == []


def test_presets_set_what_there_is() -> None:
    fields = {field.name for field in dataclasses.fields(Options)}
    for name in preset.names():
        assert preset.load(name).keys() <= fields


def test_reads_every_option() -> None:
    chosen = parse(
        "--data d e --target t --drop u --id v --task regression --unknown-categories accept"
        " --size 9 --test-split 0.3 --fold 1/5"
        " --class-names l --cache c --validation-split 0.2 --split-seed 3 --augment"
        " --rotation 1 --scale 0.2 --shear 0.3 --shift 4 --displacement 5"
        " --hidden 512,256 --filters 8,4 --dropout 0 --l2 1e-4 --batch-norm --optimizer sgd"
        " --learning-rate 0.5 --momentum 0.9"
        " --weight-decay 0 --schedule constant --warmup 0 --epochs 3 --keep last --batch-size 32"
        " --teacher t u"
        " --temperature 3 --seed 7 --deterministic --checkpoints k --experiment e"
    )
    assert (chosen.hidden, chosen.filters) == ((512, 256), (8, 4))
    assert chosen.teacher == ("t", "u")
    assert (chosen.l2, chosen.momentum, chosen.effective_learning_rate) == (1e-4, 0.9, 0.5)
    default = of_preset("default")
    unchanged = [
        field.name
        for field in dataclasses.fields(Options)
        if getattr(chosen, field.name) == getattr(default, field.name)
    ]
    # They go without filters, without a teacher, with adamw, and with a cosine.
    assert sorted(unchanged) == [
        "class_weights",
        "label_smoothing",
        "start",
        "warmup",
        "weight_decay",
    ]


def test_each_optimizer_has_its_own_learning_rate() -> None:
    assert parse("--optimizer sgd").effective_learning_rate == 0.1
    assert parse("--optimizer adamw").effective_learning_rate == 0.001


def test_options_survive_json() -> None:
    chosen = of_preset("accurate", data=("d", "e"), class_names=Path("l"), teacher=("t",))
    assert run_options.from_json(json.loads(json.dumps(run_options.to_json(chosen)))) == chosen


def test_a_run_is_resumed_as_it_began() -> None:
    assert run_arguments.parse(["--resume", "r"]) == Resume("r", Path("checkpoints"))
    assert run_arguments.parse(["--resume=r", "--checkpoints=k"]) == Resume("r", Path("k"))


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("--hidden 0", "expected a whole number of at least 1, got 0"),
        ("--hidden 12,", "expected a whole number of at least 1, got "),
        ("--fold 0/5", "expected a fold such as 1/5, got 0/5"),
        ("--fold 1", "expected a fold such as 1/5, got 1"),
        ("--task ranking", "invalid choice: 'ranking'"),
        (
            "--teacher t --class-weights balanced",
            "--class-weights can't be combined with --teacher",
        ),
        ("--shift 3", "--shift requires --augment"),
        ("--rotation -1 --augment", "expected a number above 0, got -1"),
        ("--scale 1 --augment", "expected a number between 0 and 1, got 1"),
        ("--dropout 1", "expected a number between 0 and 1, got 1"),
        ("--dropout half", "expected a number, got half"),
        ("--validation-split 0", "expected a number between 0 and 1, got 0"),
        ("--learning-rate nan", "expected a number above 0, got nan"),
        ("--l2 -1", "expected a number above 0, got -1"),
        ("--seed -1", "expected a whole number below 2**31, got -1"),
        ("--optimizer adagrad", "invalid choice: 'adagrad'"),
        ("--preset worst", "invalid choice: 'worst' (choose from"),
        ("--start r --filters 8", "--start can't be combined with --filters or --batch-norm"),
        ("--start r --batch-norm", "--start can't be combined with --filters or --batch-norm"),
        ("--momentum 0.9", "--momentum requires --optimizer sgd or rmsprop"),
        ("--weight-decay 0.1", "--weight-decay requires --optimizer adamw"),
        ("--teacher t --label-smoothing 0.1", "--label-smoothing can't be combined with --teacher"),
        ("--warmup 2 --schedule constant", "--warmup requires --schedule cosine"),
        (
            "--schedule cosine --warmup 3 --epochs 2",
            "--warmup is 3 epochs, but --epochs is 2",
        ),
        ("--epoch 3", "unrecognized arguments: --epoch 3"),
        ("--resume r --epochs 3", "unrecognized arguments: --epochs 3"),
    ],
)
def test_refuses_wrong_values(argv: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run_arguments.parse(argv.split())
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_help_explains_every_option_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_arguments.parse(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    for field in dataclasses.fields(Options):
        assert f"--{field.name.replace('_', '-')}" in text
    # --preset has one as well.
    assert text.count("(default: ") == len(dataclasses.fields(Options)) + 1
    assert "(default: 512)" in text
    with pytest.raises(SystemExit):
        run_arguments.parse(["--preset", "accurate", "--help"])
    assert "(default: 1024,1024,1024)" in " ".join(capsys.readouterr().out.split())
