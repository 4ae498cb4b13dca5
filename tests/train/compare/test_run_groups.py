"""What is one line of a comparison, and in which order they stand."""

import dataclasses
from typing import Any

import pytest

from tracking import metrics
from train.compare import comparison_plots, comparison_table, run_groups
from train.compare.finished_runs import Run
from train.errors import TrainError


def made(name: str, seed: int = 0, hidden: str = "8", **metrics: float) -> Run:
    options = {"hidden": hidden, "optimizer": "adam"}
    return Run(
        run_id=f"{name}{seed}",
        name=f"{name}, seed {seed}",
        task="classification",
        seed=str(seed),
        parent=None,
        options=options,
        off_preset=frozenset(options),
        metrics=metrics,
        validation_rows=10_000,
        validation_part="",
        is_baseline=False,
        identity=str(options),
    )


def test_runs_of_other_seeds_are_one_line() -> None:
    runs = [
        made("a", 0, val_accuracy=0.90, test_accuracy=0.5),
        made("a", 1, val_accuracy=0.94, test_accuracy=0.7),
        made("b", 0, "16", val_accuracy=0.93),
    ]
    lines = run_groups.grouped(runs, "val_accuracy")
    assert [(line.name, len(line.runs)) for line in lines] == [("b", 1), ("a", 2)]
    assert [run.seed for run in lines[1].runs] == ["1", "0"]  # the best first
    accuracy, test = metrics.METRICS[:2]
    assert accuracy.format(lines[1].values("val_accuracy")) == "92.00 ± 2.83"  # n - 1
    assert accuracy.format(lines[0].values("val_accuracy")) == "93.00"
    assert test.format(lines[0].values("test_accuracy")) == "–"
    assert run_groups.differing(lines) == ["hidden"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.0012345678", "0.001235"),
        ("1.25e-07", "1.25e-07"),
        ("1e-05", "1e-05"),
        ("256", "256"),
        ("49589e37", "49589e37"),  # a commit
        ("818bcf9e, changed", "818bcf9e, changed"),
    ],
)
def test_only_fractions_are_rounded(text: str, shown: str) -> None:
    line = run_groups.Group([made("a", 0, text)])
    assert comparison_table.cells([line], ["hidden"], [])[1] == [["a", "1", shown]]


@pytest.mark.parametrize(
    ("metric", "first"),
    [
        ("val_accuracy", "a"),
        ("val_loss", "b"),
        ("train_seconds", "b"),
        ("us_per_row_1", "b"),
        ("val_rmse", "b"),
    ],
)
def test_the_best_stands_first(metric: str, first: str) -> None:
    runs = [made("b", 0, "16", **{metric: 0.1}), made("a", **{metric: 0.9}), made("c", 0, "4")]
    lines = run_groups.grouped(runs, metric)
    assert lines[0].name == first
    assert lines[-1].name == "c"  # which was not measured


def test_options_that_follow_from_a_preset_need_not_be_told() -> None:
    runs = [
        dataclasses.replace(made("a", 0, "8", val_accuracy=0.9), off_preset=frozenset()),
        dataclasses.replace(made("b", 0, "16", val_accuracy=0.8), off_preset=frozenset()),
    ]
    lines = run_groups.grouped(runs, "val_accuracy")
    assert (run_groups.differing(lines), run_groups.options_off_preset(lines)) == (["hidden"], [])


def test_a_metric_that_no_run_has() -> None:
    with pytest.raises(TrainError, match="no run has the metric p99; there are val_loss"):
        run_groups.grouped([made("a", val_loss=1.0)], "p99")


def test_the_interval_is_that_of_the_validation_rows() -> None:
    (line,) = run_groups.grouped([made("a", val_accuracy=0.995)], "val_accuracy")
    assert line.interval() == pytest.approx((0.99341, 0.99620), abs=1e-5)


def test_the_front_is_what_no_other_beats_in_both() -> None:
    points = [(1.0, 0.9), (2.0, 0.8), (2.0, 0.95), (3.0, 0.95), (4.0, 0.99)]
    assert comparison_plots.pareto_points(points) == [(1.0, 0.9), (2.0, 0.95), (4.0, 0.99)]


def test_the_front_of_a_regression_has_the_smallest_errors() -> None:
    runs = [
        made("small", parameters=10, val_rmse=5.0),
        made("bad", 0, "16", parameters=20, val_rmse=6.0),
        made("large", 0, "64", parameters=90, val_rmse=3.0),
        made("trees", 0, "", val_rmse=1.0),  # without parameters
    ]
    figure: Any = comparison_plots.pareto_front(run_groups.grouped(runs, "val_rmse"), "regression")
    front, *points = figure.data
    assert (list(front.x), list(front.y)) == ([10, 90], [5.0, 3.0])
    assert {point.name for point in points} == {"small", "bad", "large"}
    assert figure.layout.yaxis.title.text == "validation rmse"


def test_an_option_is_plotted_as_what_it_is() -> None:
    runs = [
        made("a", 0, "8,8", val_accuracy=0.9),
        made("b", 0, "16", val_accuracy=0.8),
        made("c", 0, "512", val_accuracy=0.7),
    ]
    figure: Any = comparison_plots.options(run_groups.grouped(runs, "val_accuracy"), "val_accuracy")
    assert [note.text for note in figure.layout.annotations] == ["width", "depth"]
    assert [list(trace.x) for trace in figure.data] == [[8], [16], [512], [2], [1], [1]]
    assert [list(trace.y) for trace in figure.data[:3]] == [[0.9], [0.8], [0.7]]
    assert figure.layout.xaxis.type == "log"
    assert (
        comparison_plots.options(run_groups.grouped(runs[:1], "val_accuracy"), "val_accuracy")
        is None
    )
