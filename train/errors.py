"""What a user can get wrong before or while training."""


class TrainError(Exception):
    """Bad data or bad options; one message for people, without a traceback."""
