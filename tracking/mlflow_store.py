"""The MLflow store: where it is, and what can go wrong with it."""

import logging
import os
from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from cli.errors import CommandError

# What MLflow raises where its store is damaged or out of reach.
STORE_ERRORS = (MlflowException, SQLAlchemyError, OSError)

DEFAULT_FILE = Path("mlflow.db")


def connect() -> str:
    """Point MLflow at ``MLFLOW_TRACKING_URI``, by default a SQLite file in this folder.

    Returns:
        The address in use.

    """
    # It warns that an environment made by uv has no pip; our models list their packages themselves.
    logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{DEFAULT_FILE}"
    mlflow.set_tracking_uri(uri)
    return uri


def missing() -> str:
    """Why there is nothing to read yet, as a message; empty if there is a store."""
    if os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_FILE.exists():
        return ""
    return (
        f"there is no {DEFAULT_FILE} in this folder: train a model first (python -m train), or set"
        " MLFLOW_TRACKING_URI"
    )


def unusable(uri: str, error: Exception) -> CommandError:
    """The error to raise for one of ``STORE_ERRORS``."""
    return CommandError(f"MLflow at {uri}: {first_line(error)}")


def first_line(error: Exception | None) -> str:
    """The first line of its message; that of a database error is followed by SQL."""
    return str(error).partition("\n")[0]
