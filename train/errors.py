"""What can go wrong before and during training."""

from cli.errors import CommandError


class TrainError(CommandError):
    """The data, the options or the run can't be used."""
