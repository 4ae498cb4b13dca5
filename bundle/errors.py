"""What can be wrong with a model repository."""


class BundleError(Exception):
    """A published model can't be read or can't be trusted. The text is one line for users."""
