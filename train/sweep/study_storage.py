"""The Optuna database that the processes of a sweep share."""

import time
from collections.abc import Callable
from typing import Any

import optuna
from optuna.exceptions import OptunaError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from tracking import mlflow_store
from train.errors import TrainError

HEARTBEAT_SECONDS = 5
GRACE_SECONDS = 30  # without a heartbeat, after which a process counts as dead
_ATTEMPTS = 6  # to create the tables, which another process may be creating too


def open_storage(url: str, stale: Callable[[optuna.Study, FrozenTrial], None]) -> RDBStorage:
    """Open Optuna's database, and create it if there is none.

    Args:
        url: of SQLAlchemy.
        stale: called for each trial whose process wrote no heartbeat, by the process that notices.

    Raises:
        TrainError: the database can't be used.

    """
    try:
        parsed = make_url(url)
    except SQLAlchemyError:
        raise TrainError(f"--storage {url}: not a database URL") from None
    is_sqlite = parsed.get_backend_name() == "sqlite"
    connect_args = {"timeout": 60} if is_sqlite else {}
    failure: Exception | None = None
    for _ in range(_ATTEMPTS):
        try:
            storage = RDBStorage(
                url,
                engine_kwargs={"connect_args": connect_args},
                heartbeat_interval=HEARTBEAT_SECONDS,
                grace_period=GRACE_SECONDS,
                heartbeat_stale_trial_callback=stale,
            )
            if is_sqlite:
                _serialize(storage.engine)
            return storage
        except (SQLAlchemyError, OptunaError, ImportError, RuntimeError, LookupError) as error:
            failure = error
            time.sleep(0.5)
    shown = parsed.render_as_string(hide_password=True)
    raise TrainError(f"--storage {shown}: {mlflow_store.first_line(failure)}")


def _serialize(engine: Engine) -> None:
    """Make SQLite transactions take the write lock when they begin.

    Optuna takes a waiting trial by reading its state and then writing it. It locks the row in
    between, which SQLite does not support: two processes could take the same trial. See
    "Serializable isolation / Savepoints / Transactional DDL" in SQLAlchemy's page on SQLite.
    """
    engine.dispose()  # close earlier connections

    @event.listens_for(engine, "connect")
    def _(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
