"""``python -m tests.documents``: run the commands of pages, also those that tests leave out."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.conftest import ROOT
from tests.documents import blocks
from tests.documents.blocks import MARKS
from tests.documents.clone import Clone
from tests.models import shared

_MODELS = ROOT / "build/test-models"


def main() -> int:
    """Run the command line; returns 1 where a command of a page fails."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.documents",
        description="Run the commands of pages in fresh copies of the project, with a small model.",
    )
    parser.add_argument(
        "pages", nargs="*", type=Path, metavar="PAGE", help="such as docs/tuning.md (default: all)"
    )
    parser.add_argument(
        "--with",
        dest="marks",
        nargs="+",
        default=["slow"],
        choices=[mark for mark in MARKS if mark != "never"],
        help="also run the blocks with these marks (default: slow)",
    )
    chosen = parser.parse_args()
    shared.make(_MODELS)
    failed = 0
    for page in chosen.pages or sorted(ROOT.glob("docs/**/*.md")):
        failed += not _run(page, {"", *chosen.marks})
    return int(failed > 0)


def _run(page: Path, marks: set[str]) -> bool:
    shown = [block for block in blocks.read(page) if block.mark in marks]
    with tempfile.TemporaryDirectory() as folder:
        clone = Clone.make(Path(folder))
        clone.add_model(_MODELS)
        try:
            for block, output in clone.follow(shown):
                print(f"{page}:{block.line}: done\n{output}", flush=True)
        except AssertionError as error:
            print(f"{page}: failed, {error}", flush=True)
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
