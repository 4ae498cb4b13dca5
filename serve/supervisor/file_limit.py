"""The limit of open files: each connection needs a file descriptor."""

import resource

from serve.errors import StartError

OTHER_FILES = 96  # for connections beyond the limit, and for everything else


def raise_limit(connections: int) -> None:
    """Raise the soft limit of this process if it is too low; the workers inherit it.

    Raises:
        StartError: the hard limit is too low.

    """
    needed = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise StartError(
            f"--max-connections {connections} needs {needed} file descriptors, but the system"
            f" allows {hard}; lower it, or raise the limit (ulimit -Hn)"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
