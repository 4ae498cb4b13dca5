"""What a server of the model plus says of its versions; see tests/models/plus.py."""

import json

from tests.servers.live import Server
from tests.servers.processes import eventually

QUICK = ("--poll-interval", "0.1", "--workers", "2", "--latest-versions", "1")


def answers(server: Server, path: str = "/predict") -> set[int]:
    """The versions that answer, of some requests on connections of their own."""
    versions = set()
    for _ in range(4):
        answer = server.request("POST", path, json.dumps({"images": [[1, 2]]}))
        assert answer.status == 200, answer.body
        document = answer.json()
        version = document["version"]
        assert document["probabilities"] == [[1 + version, 2 + version]]
        versions.add(version)
    return versions


def index(server: Server, name: str = "plus") -> dict[str, tuple[str, str]]:
    entries = server.request("POST", "/v2/repository/index").json()
    return {
        entry["version"]: (entry["state"], entry["reason"])
        for entry in entries
        if entry["name"] == name
    }


def told(server: Server, version: str) -> tuple[str, str]:
    """What a worker says of a version once it has heard of it, which each does by itself."""
    seen: dict[str, tuple[str, str]] = {}

    def is_known() -> bool:
        seen.update(index(server))
        return version in seen

    assert eventually(is_known)
    return seen[version]
