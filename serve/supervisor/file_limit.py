"""File descriptors: each connection takes one, and the system sets a limit."""

import resource

from serve.errors import StartError

OTHER_FILES = 96  # for surplus connections and everything else


def raise_limit(connections: int) -> None:
    """Raise this process's soft limit, which its workers inherit, where it is too low.

    Raises:
        StartError: the hard limit is too low.

    """
    needed = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise StartError(
            f"--max-connections {connections} takes {needed} file descriptors, and the system"
            f" allows {hard}: lower it, or raise the limit (ulimit -Hn)"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
