"""docs/reference/metrics.md: what ``GET /metrics`` tells."""

from docs.generate.markdown import code, page, table
from serve.telemetry import metrics
from serve.telemetry.metrics import Definition

_INTRODUCTION = """\
`GET /metrics` has these, in the text format of Prometheus. Whichever worker answers, the numbers
are those of all workers since the service started. A histogram also has the series `_bucket`,
`_sum` and `_count`."""


def write() -> str:
    """The page."""
    rows = [
        (code(_name(one)), _kind(one), ", ".join(map(code, one.labels)), one.text)
        for one in metrics.DEFINITIONS
    ]
    histograms = [
        f"Buckets of `{one.name}`: {', '.join(f'{bound:g}' for bound in one.bounds)}."
        for one in metrics.DEFINITIONS
        if one.bounds
    ]
    head = ("metric", "type", "labels", "meaning")
    return page("Metrics", _INTRODUCTION, table(head, rows), *histograms)


def _kind(one: Definition) -> str:
    if one.bounds:
        return "histogram"
    return "gauge" if one.is_gauge else "counter"


def _name(one: Definition) -> str:
    return one.name + ("_total" if _kind(one) == "counter" else "")
