"""``python -m docs.generate``: write what documents show of the code; ``--check`` only compares."""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from docs.generate import (
    architecture,
    commands,
    contents,
    cpu_chart,
    decisions,
    http_api,
    manifest,
    metrics,
    settings,
)
from tests.imports import ROOT


def _with_contents(page: Path) -> str:
    return contents.renewed(page.read_text())


PAGES: dict[str, Callable[[], str]] = {
    "docs/architecture.svg": architecture.draw,
    "docs/cpu-per-row.svg": cpu_chart.draw,
    "docs/decisions/README.md": decisions.write,
    "docs/reference/commands.md": commands.write,
    "docs/reference/http-api.md": http_api.write,
    "docs/reference/manifest.md": manifest.write,
    "docs/reference/metrics.md": metrics.write,
    "docs/reference/settings.md": settings.write,
}
PAGES |= {
    str(page.relative_to(ROOT)): partial(_with_contents, page)
    for page in sorted(ROOT.glob("docs/**/*.md"))
    if contents.has(page) and str(page.relative_to(ROOT)) not in PAGES
}


def main() -> int:
    """Run the command line; returns 1 where a file is not what the code says."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail on differences")
    check = parser.parse_args().check
    outdated = []
    for name, generate in PAGES.items():
        path, text = ROOT / name, generate()
        if not path.exists() or path.read_text() != text:
            outdated.append(name)
            if not check:
                path.write_text(text)
    print("\n".join(outdated) or "all is up to date")
    return int(check and bool(outdated))


if __name__ == "__main__":
    sys.exit(main())
