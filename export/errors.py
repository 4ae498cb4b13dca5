"""Why a run can't be exported."""


class ExportError(Exception):
    """Nothing was published; one message for people, without a traceback."""
