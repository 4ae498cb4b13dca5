"""``python -m train``: train one model; ``--help`` explains every option."""

import sys

from train import interrupt, options
from train.errors import TrainError


def main() -> int:
    """Run the command line; returns the exit status."""
    chosen = options.parse()
    interrupt.on_every_signal()
    try:
        from rich.console import Console

        console = Console(stderr=True)
        with console.status("loading TensorFlow"):  # after the options: it takes seconds
            from train.run import train

        run_id = train(chosen, console)
    except TrainError as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("train: interrupted; a run that had begun is marked KILLED", file=sys.stderr)
        return 130
    print(run_id)
    return 0


if __name__ == "__main__":
    sys.exit(main())
