"""Triton's statistics, true across workers."""

import json
import time
from pathlib import Path
from typing import Any

from tests.conftest import Digits
from tests.servers.live import Server


def statistics(server: Server, path: str) -> list[dict[str, Any]]:
    answer = server.request("GET", path)
    assert answer.status == 200
    return list(answer.json()["model_stats"])


def test_counts_what_every_worker_has_done(repository: Path, digits: Digits) -> None:
    began = time.time() * 1000
    good = json.dumps({"instances": digits.images[:2].tolist()})
    with Server("--models", str(repository), "--workers", "2") as server:
        for _ in range(6):  # each over a connection of its own, to one worker and the other
            assert server.request("POST", "/v1/models/mnist:predict", good).status == 200
        for body in ("{", '{"instances": []}'):
            assert server.request("POST", "/v1/models/mnist/versions/1:predict", body).status == 400
        for path in ("", "/mnist", "/mnist/versions/1"):
            for _ in range(4):
                (stats,) = statistics(server, f"/v2/models{path}/stats")
                assert (stats["name"], stats["version"]) == ("mnist", "1")
                assert (stats["inference_count"], stats["execution_count"]) == (12, 6)
                assert began <= stats["last_inference"] <= time.time() * 1000
                done = stats["inference_stats"]
                steps = ("queue", "compute_input", "compute_infer", "compute_output")
                assert [done[name]["count"] for name in (*steps, "success", "fail")] == [6] * 5 + [
                    2
                ]
                assert all(done[name]["ns"] > 0 for name in (*steps, "fail"))
                assert abs(done["success"]["ns"] - sum(done[name]["ns"] for name in steps)) < 10
                assert done["cache_hit"] == {"count": 0, "ns": 0}
        assert server.request("GET", "/v2/models/cats/stats").status == 404


def test_nothing_has_been_done_at_the_start(repository: Path) -> None:
    with Server("--models", str(repository), "--workers", "1") as server:
        (stats,) = statistics(server, "/v2/models/mnist/stats")
        assert (stats["last_inference"], stats["inference_count"]) == (0, 0)
        assert stats["inference_stats"]["success"] == {"count": 0, "ns": 0}
