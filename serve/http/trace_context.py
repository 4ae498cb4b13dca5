"""The header ``traceparent`` of W3C Trace Context (https://www.w3.org/TR/trace-context/)."""

import re

# Version ff is invalid, and so are ids of zeros. Versions after 00 may have more fields at the end.
_TRACEPARENT = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})"
    r"(?P<fields>-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(?P<more>-.*)?"
)


def traceparent(header: str) -> str:
    """The header, as version 00; empty if it is invalid and so has to be ignored."""
    found = _TRACEPARENT.fullmatch(header)
    if found is None or (found["version"] == "00" and found["more"] is not None):
        return ""
    return f"00{found['fields']}"
