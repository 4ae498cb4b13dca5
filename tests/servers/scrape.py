"""The metrics of a server, read as Prometheus reads them."""

from prometheus_client.parser import text_string_to_metric_families

from tests.servers.live import Server

Sample = tuple[str, frozenset[tuple[str, str]]]
"""Name without its prefix, and labels."""


def scrape(server: Server) -> dict[Sample, float]:
    answer = server.request("GET", "/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(answer.body.decode())
    return {
        (sample.name.removeprefix("onnxlet_"), frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def labels(**named: str) -> frozenset[tuple[str, str]]:
    return frozenset(named.items())
