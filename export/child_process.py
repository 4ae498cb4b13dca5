"""Steps in processes of their own: nothing that one of them leaves behind reaches the next."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from export.errors import ExportError

Result = TypeVar("Result")


class Call(Protocol):
    """What calls functions in another process: ``fresh``, or what ``another`` gives."""

    def __call__(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call the function in another process and return what it returns."""


def fresh(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call ``function`` in a new Python process and return what it returns.

    Raises:
        ExportError: as the function does; and in place of anything else that it raises.

    """
    with another() as call:
        return call(function, *arguments)


@contextmanager
def another() -> Iterator[Call]:
    """A new Python process for several calls, which import what they need only once."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:

        def call(function: Callable[..., Result], *arguments: Any) -> Result:
            try:
                return pool.submit(function, *arguments).result()
            except ExportError:
                raise
            except Exception as error:
                step = function.__module__.rpartition(".")[2]
                raise ExportError(f"{step} failed: {type(error).__name__}: {error}") from error

        try:
            yield call
        except KeyboardInterrupt:
            for process in multiprocessing.active_children():
                process.terminate()  # else leaving the block would wait for its end
            raise
