"""``python -m benchmarks``: measure the server; ``--help`` lists the commands."""

import importlib
import sys

from rich.console import Console

from benchmarks import arguments
from cli import interrupt
from cli.errors import CommandError

MODULES = {
    "run": "benchmarks.run.run_grid",
    "limit": "benchmarks.profile.profile_requests",
    "peers": "benchmarks.compare.compare_servers",
    "capacity": "benchmarks.capacity.find_capacity",
    "guard": "benchmarks.regress.check_regressions",
    "stress": "benchmarks.regress.stress",
    "batching": "benchmarks.regress.batching",
}


def main() -> int:
    """Run the command line; returns the exit status."""
    wanted = arguments.parse(sys.argv[1:])
    interrupt.on_every_signal()
    console = Console(stderr=True)
    try:
        # Only what is asked for: some commands import for seconds.
        command = importlib.import_module(MODULES[wanted.command])
        command.run(wanted, console)
    except CommandError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("benchmarks: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
