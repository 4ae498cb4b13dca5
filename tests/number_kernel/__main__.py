"""``python -m tests.number_kernel``: compare as many documents as asked for, on every CPU."""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from random import Random

from tests.number_kernel import comparison, documents

_SHARE = 20_000


def compare(seed: int, share: int, count: int) -> int:
    """Compare one share of the documents; returns how many of them the kernel took."""
    taken = 0
    for number in range(count):
        random = Random(f"{seed} {share} {number}")
        taken += comparison.check(documents.write(random))
    return taken


def main() -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.number_kernel", description=__doc__)
    parser.add_argument("--documents", type=int, default=10**8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    chosen = parser.parse_args()
    shares = -(-chosen.documents // _SHARE)
    done = taken = 0
    began = time.monotonic()
    with ProcessPoolExecutor(chosen.processes) as pool:
        running = {
            pool.submit(compare, chosen.seed, share, min(_SHARE, chosen.documents - share * _SHARE))
            for share in range(shares)
        }
        for future in as_completed(running):
            running.discard(future)
            try:
                taken += future.result()
            except AssertionError as error:
                print(f"\n{error}", file=sys.stderr)
                pool.shutdown(cancel_futures=True)
                return 1
            done += 1
            seconds = time.monotonic() - began
            left = seconds / done * (shares - done)
            print(
                f"\r{min(done * _SHARE, chosen.documents):,} of {chosen.documents:,} documents are"
                f" the same, {taken:,} of them taken by the kernel; {left / 60:.0f} minutes left ",
                end="",
                flush=True,
            )
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
