"""The database that a sweep's processes share."""

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

SIGN_SECONDS = 5
SILENT_SECONDS = 30  # after which a process counts as gone
_ATTEMPTS = 6  # at making the tables, which another process may be making too


def storage_at(url: str, lost: Callable[[optuna.Study, FrozenTrial], None]) -> RDBStorage:
    """Open Optuna's database, and make it where there is none.

    Args:
        url: as SQLAlchemy has it.
        lost: called for each run whose process has fallen silent, by the one that finds out.

    Raises:
        TrainError: it can't be used.

    """
    try:
        known = make_url(url)
    except SQLAlchemyError:
        raise TrainError(f"--storage {url}: not the URL of a database") from None
    is_sqlite = known.get_backend_name() == "sqlite"
    patient = {"timeout": 60} if is_sqlite else {}
    trouble: Exception | None = None
    for _ in range(_ATTEMPTS):
        try:
            storage = RDBStorage(
                url,
                engine_kwargs={"connect_args": patient},
                heartbeat_interval=SIGN_SECONDS,
                grace_period=SILENT_SECONDS,
                heartbeat_stale_trial_callback=lost,
            )
            if is_sqlite:
                _serialize(storage.engine)
            return storage
        except (SQLAlchemyError, OptunaError, ImportError, RuntimeError, LookupError) as error:
            trouble = error
            time.sleep(0.5)
    shown = known.render_as_string(hide_password=True)
    raise TrainError(f"--storage {shown}: {mlflow_store.first_line(trouble)}")


def _serialize(engine: Engine) -> None:
    """Have transactions on SQLite exclude each other from their beginning.

    Optuna takes a waiting run by reading its state and then writing it, and locks the row between
    the two, which SQLite knows nothing of: two processes could take the same run. SQLAlchemy's
    document on SQLite has it under "Serializable isolation / Savepoints / Transactional DDL".
    """
    engine.dispose()  # connections from before

    @event.listens_for(engine, "connect")
    def _(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
