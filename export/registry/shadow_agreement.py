"""How often a version that shadows the champion agrees with it, from the metrics of a server."""

import re
import urllib.request
from collections import Counter
from http.client import HTTPException

from export.errors import ExportError

MIN_ROWS = 1000  # fewer say too little

_SECONDS = 10
_SAMPLE = re.compile(r"^onnxlet_shadow_rows_total\{(.*)\} ([0-9.e+]+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def failure(url: str, name: str, version: int, champion: int | None, percent: float) -> str | None:
    """Why the agreement of a version is not enough; None if it is.

    Args:
        url: of the server's metrics, such as http://127.0.0.1:8080/metrics.
        name: of the model.
        version: the shadow.
        champion: the version that it was compared with; None for any.
        percent: of the rows that must agree, at least.

    Raises:
        ExportError: the metrics can't be read.

    """
    rows = _rows(_read(url), name, version, champion)
    compared = rows["same"] + rows["different"] + rows["failed"]
    against = f"version {champion}" if champion else "the others"
    if compared < MIN_ROWS:
        return (
            f"agreement: {compared} rows of version {version} were compared with {against};"
            f" {MIN_ROWS} are needed. `python -m export traffic` makes it the shadow"
        )
    share = 100 * rows["same"] / compared
    if share >= percent:
        return None
    return (
        f"agreement: {share:.2f} % of {compared} rows are as {against} says; the minimum is"
        f" {percent:g} %"
    )


def _read(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ExportError(f"{url}: expected a URL such as http://127.0.0.1:8080/metrics")
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - see above
            return str(answer.read().decode())
    except (OSError, HTTPException, ValueError) as error:
        raise ExportError(f"{url}: {error}") from None


def _rows(text: str, name: str, version: int, champion: int | None) -> Counter[str]:
    """Rows by their result."""
    rows: Counter[str] = Counter()
    for labels, value in _SAMPLE.findall(text):
        known = dict(_LABEL.findall(labels))
        if (known.get("model"), known.get("shadow")) != (name, str(version)):
            continue
        if champion is None or known.get("version") == str(champion):
            rows[known.get("result", "")] += int(float(value))
    return rows
