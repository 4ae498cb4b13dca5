"""Comparisons as their users make them."""

import re
from pathlib import Path

import mlflow
import pytest

from tests import browser
from tests.commands import call
from tests.train.conftest import Swept


def compare(swept: Swept, *arguments: str | Path) -> tuple[int, str, str]:
    done = call("train", "compare", *arguments, cwd=swept.folder)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def cells(out: str) -> list[list[str]]:
    """The table's rows, its header first."""
    rows = [re.split("[│┃]", line)[1:-1] for line in out.splitlines() if line[0] in "│┃"]
    return [[cell.strip() for cell in row] for row in rows]


def metrics(swept: Swept, name: str) -> list[dict[str, float]]:
    client = mlflow.MlflowClient(f"sqlite:///{swept.folder}/mlflow.db")
    found = client.search_runs(["1"], f"attributes.run_name LIKE '{name}, seed %'")
    parts = [one for one in found if one.data.tags.get("sweep") == swept.study]
    return [one.data.metrics for one in parts]


def test_the_table_has_what_differs_and_what_was_measured(swept: Swept) -> None:
    status, out, err = compare(swept, "--runs", swept.parent)
    assert status == 0
    head, *rows = cells(out)
    assert head == [
        *("run", "runs", "hidden", "validation %", "validation loss", "validation F1 %"),
        *("validation AUC %", "validation ECE %", "parameters", "training s", "differs from best"),
    ]
    assert rows[0][-1] == "best"
    assert re.fullmatch(r"(yes|no), p [\d.e-]+", rows[1][-1])
    assert [row[:3] for row in rows] == [["wide", "2", "32"], ["narrow", "2", "8"]]
    assert [row[8] for row in rows] == ["25,450", "6,370"]
    first, second = (one["val_accuracy"] for one in metrics(swept, "wide"))
    spread = abs(first - second) / 2**0.5
    assert rows[0][3] == f"{50 * (first + second):.2f} ± {100 * spread:.2f}"
    best = max(metrics(swept, "wide"), key=lambda one: one["val_accuracy"])
    client = mlflow.MlflowClient(f"sqlite:///{swept.folder}/mlflow.db")
    chosen = re.search(r"python -m export --run (\w+)", err)
    assert chosen
    assert client.get_run(chosen[1]).data.metrics == best


def test_sorts_and_cuts(swept: Swept) -> None:
    status, out, _ = compare(swept, "--runs", swept.parent, "--sort", "parameters", "--top", "1")
    assert (status, [row[0] for row in cells(out)[1:]]) == (0, ["narrow"])
    assert "4 runs, best parameters first (1 of 2 lines; --top 2 for all)" in out


def test_one_run_beside_another(swept: Swept) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{swept.folder}/mlflow.db")
    ids = [
        one.info.run_id
        for one in client.search_runs(["1"], f"tags.sweep = '{swept.study}'")
        if one.info.run_name in ("wide, seed 0", "narrow, seed 1")
    ]
    status, out, _ = compare(swept, "--runs", *ids)
    assert (status, {row[0] for row in cells(out)[1:]}) == (0, {"wide", "narrow"})
    assert cells(out)[1][1] == "1"


def test_the_test_set_chooses_nothing(swept: Swept) -> None:
    status, _, err = compare(swept, "--sort", "test_accuracy")
    assert status == 2
    assert "argument --sort: test_accuracy is of the test set, which would be no test" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--experiment", "none"), "MLflow has no experiment 'none'"),
        (("--runs", "0" * 32), "Run with id=" + "0" * 32 + " not found"),
        (("--sort", "speed"), "no run has the metric speed; there are kept_epoch, "),
        (("--html", "no/where.html"), "no/where.html: No such file or directory"),
        (
            ("--markdown", "two.toml"),
            "two.toml: expected the lines <!-- runs --> and <!-- /runs -->",
        ),
    ],
)
def test_says_what_is_wrong(swept: Swept, arguments: tuple[str, ...], message: str) -> None:
    status, _, err = compare(swept, *arguments)
    assert status == 1
    assert message in err.splitlines()[-1]


def test_writes_the_table_of_a_document(swept: Swept, tmp_path: Path) -> None:
    document = tmp_path / "models.md"
    document.write_text("before\n<!-- runs -->\nold\n<!-- /runs -->\nafter\n")
    status, _, _ = compare(swept, "--runs", swept.parent, "--markdown", document)
    lines = document.read_text().splitlines()
    assert status == 0
    assert lines[:2] + lines[-2:] == ["before", "<!-- runs -->", "<!-- /runs -->", "after"]
    head, line, wide, narrow = lines[2:-2]
    assert head.endswith("| validation %, 95 % interval |")
    assert line == "| --- |" + " --: |" * (head.count("|") - 2)
    assert (wide.split(" | ")[0], narrow.split(" | ")[0]) == ("| wide", "| narrow")
    assert re.fullmatch(r"\d\d\.\d\d to \d\d\.\d\d \|", wide.split(" | ")[-1])


def test_the_page_draws_everything_by_itself(swept: Swept, tmp_path: Path) -> None:
    page_file = tmp_path / "page.html"
    status, _, _ = compare(swept, "--runs", swept.parent, "--html", page_file)
    assert status == 0
    assert "differs from best" in page_file.read_text()
    with browser.opened() as page:
        troubles: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.as_uri())
        assert page.locator("h2").all_inner_texts() == [
            *("Learning curves", "val_accuracy by option", "Accuracy by latency")
        ]
        assert page.locator("tbody tr").count() == 2
        # Two measures of four runs; one option of two groups; the front and two points on it.
        lines = [
            plot.locator(".trace.scatter").count() for plot in page.locator(".js-plotly-plot").all()
        ]
        assert lines == [8, 2, 3]
        assert page.locator(".legendtext").all_text_contents() == ["wide", "narrow"]
    assert troubles == []
    assert asked == [page_file.as_uri()]
