"""``python -m tests.mutation``: change the code, and see which changes go unnoticed."""

import argparse
import sys

from tests.mutation import run


def main() -> int:
    """Run the command line; returns 1 where a change survived."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation",
        description="Change the code at random lines, one change at a time, and run the tests.",
    )
    parser.add_argument("--count", type=int, default=60, help="how many changes (default: 60)")
    parser.add_argument("--seed", type=int, default=1, help="of the choice (default: 1)")
    parser.add_argument("--at-once", type=int, default=1, help="changes at a time (default: 1)")
    parser.add_argument(
        "packages", nargs="*", default=[*run.PACKAGES], help="of these packages (default: all)"
    )
    wanted = parser.parse_args()
    if test := run.failing(wanted.packages):
        print(f"{test} fails without any change", file=sys.stderr)
        return 2
    chosen = run.sample(wanted.packages, wanted.count, wanted.seed)
    survived = []
    for mutant, noticed_by in run.outcomes(chosen, wanted.at_once):
        print(f"{mutant}: {noticed_by or 'SURVIVED'}", flush=True)
        if not noticed_by:
            survived.append(mutant)
    noticed = len(chosen) - len(survived)
    print(f"{noticed} of {len(chosen)} changes were noticed ({noticed / len(chosen):.0%})")
    return int(bool(survived))


if __name__ == "__main__":
    sys.exit(main())
