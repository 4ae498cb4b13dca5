"""What can go wrong in an export."""

from cli.errors import CommandError


class ExportError(CommandError):
    """Nothing was published, unless the message says so."""
