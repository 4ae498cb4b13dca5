"""What ends a command."""


class CommandError(Exception):
    """Something that the user can put right; one message for people, without a traceback."""
