"""deploy/monitoring/: Prometheus runs every rule and query of it on a server under load."""

import json
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml

from bundle import reader, writer
from tests.conftest import ROOT, Digits, free_port, run
from tests.servers import other
from tests.servers.live import Server

MONITORING = ROOT / "deploy/monitoring"
SECONDS = 60


@contextmanager
def load(server: Server, digits: Digits) -> Iterator[None]:
    """Requests that are answered, and requests whose time is over, until the block ends."""
    ended = threading.Event()
    body = json.dumps({"images": digits.images[:8].tolist()})

    def send() -> None:
        while not ended.is_set():
            assert server.request("POST", "/predict", body).status == 200
            late = server.request("POST", "/predict", body, {"X-Request-Timeout-Ms": "0"})
            assert late.status == 504

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        ended.set()
        sender.join()


@pytest.fixture(scope="module")
def server(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two versions, of which one shadows the other."""
    models = shutil.copytree(repository, tmp_path_factory.mktemp("shadowed") / "models")
    first = reader.read_version(models, "mnist", 1)
    assert first.manifest
    assert first.golden
    files = {"model.onnx": first.model, "golden.npz": first.golden.to_npz()}
    writer.publish(models, first.manifest, files)
    labels = {"champion": {"version": 1, "weight": 1}, "next": {"version": 2, "shadow": True}}
    (models / "mnist/labels.json").write_text(json.dumps(labels))
    with Server("--models", str(models)) as running:
        yield running


@pytest.fixture(scope="module")
def prometheus(
    server: Server, digits: Digits, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a Prometheus with our configuration, only faster, and a server under load."""
    folder = tmp_path_factory.mktemp("prometheus")
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
    config["rule_files"] = [str(MONITORING / name) for name in config["rule_files"]]
    (job,) = config["scrape_configs"]
    del job["dns_sd_configs"]
    job["static_configs"] = [{"targets": [f"127.0.0.1:{server.port}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = [
        *("prometheus", f"--config.file={folder}/prometheus.yml"),
        *(f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"),
    ]
    with load(server, digits), other.started(command, port, "/-/ready") as address:
        yield address


def ask(address: str, path: str, **parameters: str) -> Any:
    """Data that Prometheus has; what it refuses raises an error."""
    url = f"{address}/api/v1/{path}?{urlencode(parameters)}"
    with urlopen(url, timeout=10) as answer:  # noqa: S310 - our own address
        return json.load(answer)["data"]


def values(address: str, query: str) -> list[float]:
    """Of each series that a query finds, as soon as it finds numbers."""
    until = time.monotonic() + SECONDS
    while True:
        series = ask(address, "query", query=query)["result"]
        found = [float(one["value"][1]) for one in series]
        if found and not any(value != value for value in found):
            return found
        assert time.monotonic() < until, f"{query}: {found}"
        time.sleep(0.2)


def queries() -> dict[str, str]:
    """Each query of the dashboard by its panel, with its variables filled in."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    found = {}
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace("$model", ".+").replace("$__rate_interval", "10s")
            assert "$" not in query
            found[f"{panel['title']} {target['refId']}"] = query
    return found


@pytest.mark.parametrize("panel", queries())
def test_a_panel_shows_numbers(prometheus: str, panel: str) -> None:
    assert min(values(prometheus, queries()[panel])) >= 0


def test_panels_show_the_load(prometheus: str) -> None:
    by_title = queries()
    assert values(prometheus, by_title["Rows per run of the model A"]) == [8.0]
    (failed,) = values(prometheus, by_title["Failed requests A"])
    assert failed == pytest.approx(0.5, abs=0.2)
    steps = values(prometheus, by_title["Time per request, by step A"])
    assert len(steps) == 4
    assert min(steps) > 0


def test_rules_are_evaluated_and_alerts_have_something_to_look_at(prometheus: str) -> None:
    rules = yaml.safe_load((MONITORING / "rules.yml").read_text())["groups"]
    for rule in (rule for group in rules for rule in group["rules"]):
        left, _, limit = re.fullmatch(r"(.+?)(?: (==|>) ([\d.]+))?", rule["expr"]).groups()  # type: ignore[union-attr]
        assert ("alert" in rule) == (limit is not None)
        assert values(prometheus, rule.get("record", left))
    for group in ask(prometheus, "rules")["groups"]:
        assert [rule.get("lastError") for rule in group["rules"]] == [None] * len(group["rules"])


def test_a_server_that_fails_half_of_the_requests_alerts(prometheus: str) -> None:
    until = time.monotonic() + SECONDS
    while (states := states_of(prometheus))["OnnxletErrors"] != "pending":
        assert time.monotonic() < until, states
        time.sleep(0.2)
    assert states["OnnxletDown"] == states["OnnxletVersionRefused"] == "inactive"


def states_of(address: str) -> dict[str, str]:
    groups = ask(address, "rules", type="alert")["groups"]
    return {rule["name"]: rule["state"] for group in groups for rule in group["rules"]}


def test_each_alert_fires_when_it_should() -> None:
    done = run("promtool", "test", "rules", MONITORING / "rules-test.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    tested = (MONITORING / "rules-test.yml").read_text()
    rules = yaml.safe_load((MONITORING / "rules.yml").read_text())["groups"]
    alerts = [rule["alert"] for group in rules for rule in group["rules"] if "alert" in rule]
    for alert in alerts:
        assert len(re.findall(rf"alertname: {alert}\n", tested)) == 2, alert


def test_a_rule_that_is_changed_fails_its_test(tmp_path: Path) -> None:
    for name in ("rules.yml", "rules-test.yml"):
        text = (MONITORING / name).read_text()
        (tmp_path / name).write_text(text.replace("ratio_rate5m > 0.01", "ratio_rate5m > 0.05"))
    done = run("promtool", "test", "rules", tmp_path / "rules-test.yml")
    assert done.returncode != 0
    assert "alertname: OnnxletErrors" in done.stdout + done.stderr
