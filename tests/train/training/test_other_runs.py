"""Runs that learn from other runs: from teachers, and from the weights of one with convolutions."""

from pathlib import Path

import mlflow
import numpy as np
import onnx
import pytest
from mlflow.entities import Run

from tests.commands import call
from tests.train.reading.reads import read
from train.run_options import of_preset
from train.training import other_runs

CONVOLUTIONS = ("--filters", "2,2", "--hidden", "16", "--learning-rate", "0.01")
DENSE = ("--hidden", "392,98,16", "--learning-rate", "1e-7")


def trained(work: Path, folder: Path, *options: str) -> Run:
    data = ("--data", work / "subset.npz", "--epochs", "2", "--dropout", "0")
    done = call("train", *data, *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    return mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db").get_run(done.stdout.strip())


def test_a_network_starts_as_a_convolution_written_out(work: Path, folder: Path) -> None:
    first = trained(work, folder, *CONVOLUTIONS)
    run_id = first.info.run_id
    taught = ("--start", run_id, "--teacher", run_id, run_id)
    dense = trained(work, folder, *DENSE, *taught)
    accuracy = first.data.metrics["val_accuracy"]
    assert 0.3 < accuracy == pytest.approx(dense.data.metrics["val_accuracy"], abs=0.005)
    assert dense.data.params["teacher"] == f"{run_id},{run_id}"
    assert first.data.params["parameters"] == str(26 * 2 + 19 * 2 + 99 * 16 + 17 * 10)
    assert dense.data.params["parameters"] == str(785 * 392 + 393 * 98 + 99 * 16 + 17 * 10)
    for run in (first, dense):
        done = call("export", "--run", run.info.run_id, "--name", "made", cwd=folder)
        assert done.returncode == 0, done.stderr
    operators = [
        [
            node.op_type
            for node in onnx.load(folder / f"models/made/{version}/model.onnx").graph.node
        ]
        for version in (1, 2)
    ]
    assert operators[0].count("Conv") == 2
    assert operators[1] == ["Gemm", "Relu"] * 3 + ["Gemm", "Softmax"]
    refused = call("train", "--data", work / "subset.npz", "--start", run_id, cwd=folder)
    assert refused.returncode == 1
    assert refused.stderr.endswith(
        f"start {run_id}: its hidden layers have 392,98,16 units, not 512; set --hidden to them\n"
    )


def test_each_teacher_gives_the_targets_of_a_part(
    work: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [trained(work, folder, "--hidden", "8", "--seed", seed).info.run_id for seed in "01"]
    dataset = read(work / "subset.npz")
    monkeypatch.chdir(folder)
    one, other, both = (
        other_runs.teachers(of_preset(teacher=tuple(named)), dataset)
        for named in (runs[:1], runs[1:], runs)
    )
    assert one is not None
    assert other is not None
    assert both is not None
    rows = dataset.x_train[:5]
    expected = [*one(rows)[:2].numpy(), *other(rows)[2:].numpy()]
    np.testing.assert_allclose(both(rows), expected, rtol=1e-5)
    assert not np.allclose(one(rows), other(rows), rtol=1e-2)


@pytest.mark.parametrize("option", [("--filters", "4"), ("--start", "0")])
def test_tables_have_no_convolutions(folder: Path, option: tuple[str, str]) -> None:
    done = call("train", "--data", "iris", *option, cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(f"{option[0]} is for images, and iris is a table\n")
