"""Steps in processes of their own, so that nothing that one step leaves behind reaches the next."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.context import BaseContext
from typing import Any, Protocol, TypeVar

from export.errors import ExportError

Result = TypeVar("Result")

# Imported once, by a process that does nothing else and from which the others are forked. Each
# import of TensorFlow takes 6 s of CPU time; a process that is forked after it starts in 0.1 s.
_KERAS_MODULES = ["keras", "onnxruntime.quantization", "tensorflow", "tf2onnx"]


class Call(Protocol):
    """Calls functions in another process: ``fresh``, ``fresh_keras``, or from ``keras_worker``."""

    def __call__(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call the function in another process and return what it returns."""


def fresh(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call ``function`` in a new Python process and return what it returns.

    Raises:
        ExportError: as the function does; and in place of anything else that it raises.

    """
    with _worker(multiprocessing.get_context("spawn")) as call:
        return call(function, *arguments)


def fresh_keras(function: Callable[..., Result], *arguments: Any) -> Result:
    """Do the same in a process that has imported Keras and tf2onnx, but used neither."""
    with keras_worker() as call:
        return call(function, *arguments)


@contextmanager
def keras_worker() -> Iterator[Call]:
    """Start such a process for several calls."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_KERAS_MODULES)
    with _worker(context) as call:
        yield call


@contextmanager
def _worker(context: BaseContext) -> Iterator[Call]:
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
