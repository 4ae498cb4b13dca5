"""A training run in MLflow, from its start to its final status."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field

import mlflow

from cli.errors import CommandError
from tracking import git_commit
from tracking.mlflow_store import STORE_ERRORS, connect, first_line, unusable

CUT_SHORT_TAG = "ended_after_epoch"  # of a run that ended before its last epoch
BASELINE_TAG = "baseline"  # of a run whose model can't be exported, with its kind
SEED_SEPARATOR = ", seed "  # runs that differ only in their seed have the same name up to this


@dataclass(frozen=True)
class RunInfo:
    """Name, parent and tags of a new run."""

    name: str
    """Shown by MLflow."""
    parent: str | None = None
    """Id of the run that it is part of."""
    tags: Mapping[str, str] = field(default_factory=dict)


class Pruned(Exception):
    """The run was given up before its last epoch."""


def start(experiment: str, info: RunInfo) -> AbstractContextManager[mlflow.ActiveRun]:
    """Start a run, and set its final status at the end of the block.

    FINISHED, KILLED if it was interrupted or pruned, else FAILED.

    Raises:
        CommandError: the store can't be used, at the start or later.

    """

    def begin() -> mlflow.ActiveRun:
        mlflow.set_experiment(experiment)
        return mlflow.start_run(
            run_name=info.name,
            nested=info.parent is not None,
            parent_run_id=info.parent,
            tags={**git_commit.tags(), **info.tags},
        )

    return _recorded(begin)


def resume(run_id: str) -> AbstractContextManager[mlflow.ActiveRun]:
    """The same for an existing run."""
    return _recorded(lambda: mlflow.start_run(run_id))


@contextmanager
def _recorded(begin: Callable[[], mlflow.ActiveRun]) -> Iterator[mlflow.ActiveRun]:
    uri = connect()
    try:
        active = begin()
    except STORE_ERRORS as error:
        raise unusable(uri, error) from None
    run_id = active.info.run_id
    try:
        yield active
    except (KeyboardInterrupt, SystemExit, Pruned):
        _end("KILLED")
        raise
    except STORE_ERRORS as error:
        _end("FAILED")
        raise CommandError(
            f"{_reason(uri, error)}; the run goes on with --resume {run_id}"
        ) from None
    except BaseException:
        _end("FAILED")
        raise
    try:
        mlflow.end_run("FINISHED")
    except STORE_ERRORS as error:
        _end("FAILED")
        raise CommandError(
            f"{_reason(uri, error)}; run {run_id} is not marked as finished"
        ) from None


def _reason(uri: str, error: Exception) -> object:
    """The reason in one line; a full disk is not blamed on MLflow."""
    return first_line(error) if isinstance(error, OSError) else unusable(uri, error)


def _end(status: str) -> None:
    with suppress(*STORE_ERRORS):  # what led here says more
        mlflow.end_run(status)
