"""The same runs in MLflow's own pages."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import mlflow
import pytest

from tests import browser
from tests.conftest import free_port
from tests.servers import other
from tests.train.conftest import Swept


@pytest.fixture(scope="module")
def pages(swept: Swept) -> Iterator[str]:
    """Where ``make mlflow`` shows the sweep."""
    port = free_port()
    store = f"sqlite:///{swept.folder}/mlflow.db"
    command = ["make", "--silent", "mlflow", f"MLFLOW_PORT={port}"]
    with other.started(command, port, MLFLOW_TRACKING_URI=store) as address:
        yield address


def test_the_experiment_has_the_runs_with_their_metrics(swept: Swept, pages: str) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{swept.folder}/mlflow.db")
    runs = client.search_runs(["1"], f"tags.sweep = '{swept.study}' and metrics.val_loss > 0")
    assert len(runs) == 4
    ids = json.dumps([run.info.run_id for run in runs])
    with browser.opened() as page:
        page.goto(f"{pages}/#/experiments/1/runs?workflowType=machine_learning")
        page.get_by_role("link", name=swept.study, exact=True).wait_for()
        page.goto(f"{pages}/#/compare-runs?runs={quote(ids)}&experiments=%5B%221%22%5D")
        page.get_by_text("val_accuracy", exact=True).first.wait_for()
        shown = page.inner_text("body").splitlines()
    for run in runs:
        assert run.info.run_name in {line.strip() for line in shown}
        assert f"{round(run.data.metrics['val_accuracy'], 3):g}" in shown
