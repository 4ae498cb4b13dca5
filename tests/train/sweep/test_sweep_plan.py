"""Plans as files have them."""

import dataclasses
from pathlib import Path

import pytest

from train.errors import TrainError
from train.run_options import of_preset
from train.sweep import sweep_arguments, sweep_plan


def test_regularization_is_the_course_s_six_experiments() -> None:
    chosen = sweep_plan.read("regularization")
    options = {
        name: of_preset(**{**chosen.options, **theirs}) for name, theirs in chosen.runs.items()
    }
    assert list(options) == [
        *("base", "l2 and dropout", "sgd with momentum", "rmsprop", "adam", "batch norm")
    ]
    assert (options["base"].l2, options["base"].dropout) == (0, 0)
    assert {(one.l2, one.dropout) for one in list(options.values())[1:]} == {(0.0001, 0.3)}
    optimizers = [one.optimizer for one in options.values()]
    assert optimizers == ["sgd", "sgd", "sgd", "rmsprop", "adam", "adam"]
    assert [one.momentum for one in options.values()] == [0, 0, 0.9, 0, 0, 0]
    assert [one.batch_norm for one in options.values()] == [False] * 5 + [True]
    assert [one.conflict() for one in options.values()] == [""] * 6


def test_folds_are_all_there() -> None:
    runs = sweep_plan.read("kfold").runs
    assert [one["fold"] for one in runs.values()] == ["1/5", "2/5", "3/5", "4/5", "5/5"]


def test_a_table_has_the_preset_of_small_data(tmp_path: Path) -> None:
    wanted = sweep_arguments.parse(["kfold", "--data", "wine"])
    assert (wanted.preset, wanted.options.batch_size) == ("small", of_preset("small").batch_size)
    (tmp_path / "own.toml").write_text("[options]\ndata = ['a.csv', 'b.csv']\n[[runs]]\nname='a'\n")
    planned = sweep_arguments.parse([str(tmp_path / "own.toml")])
    assert (planned.preset, planned.options.data) == ("small", ("a.csv", "b.csv"))
    assert sweep_arguments.parse(["kfold"]).preset == "default"


def test_search_is_over_what_it_says() -> None:
    space = sweep_plan.read("search").space
    assert list(space) == ["width", "depth", "dropout", "learning_rate", "optimizer"]
    assert dataclasses.astuple(space["width"]) == (32, 1024, True, ())


@pytest.mark.parametrize("name", sweep_plan.names())
def test_every_plan_says_what_it_is_for_and_why(name: str) -> None:
    text = (sweep_plan.FOLDER / f"{name}.toml").read_text()
    assert text.startswith("# ")
    assert f"python -m train sweep {name}" in text


def test_runs_are_repeated_with_other_seeds() -> None:
    wanted = sweep_arguments.parse(
        ["regularization", "--seeds", "2", "--seed", "7", "--epochs", "3"]
    )
    repeated = sweep_plan.repeated(wanted.plan, wanted.options.seed)
    assert (len(repeated), repeated[0], repeated[6]) == (12, ("base", 7), ("base", 8))
    assert (wanted.options.epochs, wanted.options.hidden) == (3, (128, 128))
    assert wanted.study.startswith("regularization-2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("runs = [", "Invalid value"),
        ("options = 3\n[[runs]]\nname='a'", "[options] is 3; expected a table"),
        ("runs = 3", "[[runs]] must be a list of tables"),
        ("runs = [3]", "run 1 is 3; expected a table"),
        ("seed = 3", "unknown key seed; expected options, runs, search, seeds"),
        ("seeds = 3", "expected either [[runs]] or [search]"),
        ("[[runs]]\nname='a'\n[search]\ntrials=1", "expected either [[runs]] or [search]"),
        ("[[runs]]\nl2 = 0.1", "run 1 has no name"),
        ("[[runs]]\nname = 'a'\nl3 = 0.1", "run 'a': there is no option l3; options are data, "),
        ("[[runs]]\nname = 'a'\ndropout = 1.5", "run 'a': dropout: expected a number between"),
        ("[[runs]]\nname = 'a'\naugment = 1", "run 'a': augment is 1; expected true or false"),
        ("[options]\noptimizer = 'lion'\n[[runs]]\nname = 'a'", "expected one of adam, adamw"),
        ("seeds = 0\n[[runs]]\nname = 'a'", "seeds is 0; expected a whole number of at least 1"),
        ("[[runs]]\nname = 'a'\n[[runs]]\nname = 'a'", "two runs have the name 'a'"),
        ("[search]\ntrials = 2", "[search] must have trials and space"),
        ("[search]\ntrials = 2\n[search.space]", "[search.space] is empty"),
        ("[search]\ntrials = 2\nspace = 3", "[search.space] is 3; expected a table"),
        (
            "seeds = 2\n[search]\ntrials = 2\nspace = {l2 = {low = 0, high = 1}}",
            "seeds can only be used",
        ),
        (
            "[search]\ntrials = 2\nspace = {width = {low = 1, high = 2}}",
            "width and depth can only be used together",
        ),
        ("[search]\ntrials = 2\nspace = {l2 = {low = 1}}", "l2: expected low and high"),
        (
            "[search]\ntrials = 2\nspace = {l2 = {low = 2, high = 1}}",
            "expected two numbers, the lower one first",
        ),
        (
            "[search]\ntrials = 2\nspace = {l2 = {low = 0, high = 1, log = true}}",
            "a logarithmic range must start above 0",
        ),
        (
            "[search]\ntrials = 2\nspace = {dropout = {low = 0.0, high = 1.0}}",
            "dropout: expected a number between 0 and 1",
        ),
        ("[search]\ntrials = 2\nspace = {optimizer = {choices = []}}", "choices of optimizer"),
        (
            "[search]\ntrials = 2\nspace = {hidden = {choices = [[8]]}}",
            "choices of hidden: expected a",
        ),
        (
            "[search]\ntrials = 2\nspace = {l2 = {low = 0.1, high = 1.0, log = 'no'}}",
            "log of l2 is 'no'; expected true or false",
        ),
        (
            "[search]\ntrials = 2\n[search.space]\nwidth = {low = 1.0, high = 8.0}\n"
            "depth = {low = 1, high = 2}",
            "width is 1.0; expected a whole number of at least 1",
        ),
        (
            "[search]\ntrials = 2\nspace = {data = {choices = ['a']}}",
            "data: must be the same for all runs",
        ),
        (
            "[[runs]]\nname = 'a'\nseed = 3",
            "run 'a': seed: must be the same for all runs; set it in [opt",
        ),
        (
            "[[runs]]\nname = 'a'\ntarget = 't'",
            "run 'a': target: must be the same for all runs",
        ),
        (
            "[[runs]]\nname = 'a'\nfold = '6/5'",
            "run 'a': fold: expected a fold such as 1/5, got 6/5",
        ),
        (
            "[[runs]]\nname = 'a'\nclass_names = 'f'",
            "run 'a': class_names: must be the same for all runs",
        ),
    ],
)
def test_says_what_is_wrong_with_a_plan(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(TrainError) as error:
        sweep_plan.read(str(path))
    assert str(error.value).startswith(f"plan {path}: ")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("", "expected a plan: kfold, regularization, search, or a TOML file"),
        (
            "nowhere",
            "plan nowhere: No such file or directory; expected one of kfold, regularization,",
        ),
        ("search --seeds 2", "--seeds can only be used with a plan of runs"),
        ("regularization --trials 2", "--trials can only be used with a plan that has a [search]"),
        (
            "regularization --momentum 0.5",
            "run 'adam': --momentum requires --optimizer sgd or rmsprop",
        ),
        ("search --momentum 0.5", "--momentum requires --optimizer sgd or rmsprop"),
        ("regularization --preset fast", "unrecognized arguments: --preset fast"),
    ],
)
def test_says_what_is_wrong_with_a_command(
    argv: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as error:
        sweep_arguments.parse(argv.split())
    assert error.value.code == 2
    assert message in capsys.readouterr().err


def test_the_plan_may_stand_anywhere() -> None:
    wanted = sweep_arguments.parse(
        ["--epochs", "3", "--storage", "sqlite:///x.db", "regularization"]
    )
    assert (wanted.plan.name, wanted.options.epochs, wanted.storage) == (
        *("regularization", 3, "sqlite:///x.db"),
    )


def test_help_has_the_plan_s_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        sweep_arguments.parse(["regularization", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "units of each hidden layer (default: 128,128)" in shown
    assert "kfold, regularization, search (train/plans/NAME.toml), or a file like them" in shown
