"""What can be wrong with a model repository."""


class BundleError(Exception):
    """A published model that can't be read, or can't be trusted; one line for people."""
