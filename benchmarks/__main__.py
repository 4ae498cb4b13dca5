"""``python -m benchmarks``: measure the server; ``--help`` lists the commands."""

import importlib
import sys

from rich.console import Console

from benchmarks import benchmark_arguments
from cli import interrupt
from cli.errors import CommandError


def main() -> int:
    """Run the command line; returns the exit status."""
    chosen = benchmark_arguments.parse(sys.argv[1:])
    interrupt.on_every_signal()
    console = Console(stderr=True)
    try:
        command = importlib.import_module(benchmark_arguments.COMMANDS[chosen.command].module)
        command.run(chosen, console)
    except CommandError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # mostly a file that can't be written
        print(f"benchmarks: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("benchmarks: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
