"""``python -m tests.mutation``: change the code, and see which changes go unnoticed."""

import argparse
import sys

from tests.mutation import by_hand, run


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
        "--by-hand",
        action="store_true",
        help="make the changes of tests/mutation/by_hand.py instead of random ones",
    )
    parser.add_argument(
        "--near-only",
        action="store_true",
        help="run only the test files of the changed module, where there are any",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        default=[*run.PACKAGES],
        help=f"files or folders in {', '.join(run.PACKAGES)} (default: all)",
    )
    wanted = parser.parse_args()
    if wanted.by_hand:
        chosen = list(by_hand.mutants())
    else:
        chosen = run.sample(wanted.paths, wanted.count, wanted.seed)
    if test := run.failing(chosen, wanted.near_only):
        print(f"{test} fails without any change", file=sys.stderr)
        return 2
    survived = []
    for mutant, noticed_by in run.outcomes(chosen, wanted.at_once, wanted.near_only):
        print(f"{mutant}: {noticed_by or 'SURVIVED'}", flush=True)
        if not noticed_by:
            survived.append(mutant)
    noticed = len(chosen) - len(survived)
    print(f"{noticed} of {len(chosen)} changes were noticed ({noticed / len(chosen):.0%})")
    return int(bool(survived))


if __name__ == "__main__":
    sys.exit(main())
