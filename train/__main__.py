"""``python -m train``: train one model; ``--help`` explains every option."""

import sys

from train import arguments, interrupt
from train.errors import TrainError


def main() -> int:
    """Run the command line; returns the exit status."""
    command = arguments.parse(sys.argv[1:])
    interrupt.on_every_signal()
    try:
        from rich.console import Console

        console = Console(stderr=True)
        with console.status("loading TensorFlow"):  # after the options: it takes seconds
            from train import run

        if isinstance(command, arguments.Start):
            run_id = run.begin(command.options, command.preset, console)
        else:
            run_id = run.resume(command.run_id, command.checkpoints, console)
    except TrainError as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "train: interrupted; a run that had begun is marked KILLED, and goes on with --resume",
            file=sys.stderr,
        )
        return 130
    print(run_id)
    return 0


if __name__ == "__main__":
    sys.exit(main())
