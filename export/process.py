"""Steps in processes of their own: nothing that one of them leaves behind reaches the next."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from export.errors import ExportError

Result = TypeVar("Result")


def fresh(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call ``function`` in a new Python process and return what it returns.

    Raises:
        ExportError: as the function does; and in place of anything else that it raises.

    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except KeyboardInterrupt:
            for process in multiprocessing.active_children():
                process.terminate()  # else leaving the block would wait for its end
            raise
        except ExportError:
            raise
        except Exception as error:
            step = function.__module__.rpartition(".")[2]
            raise ExportError(f"{step} failed: {type(error).__name__}: {error}") from error
