"""Models and pipelines of scikit-learn, and XGBoost's with the same interface, from a pickle.

Unpickling a file runs code that is in it.
"""

import sys
import warnings
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from export import child_process
from export.errors import ExportError
from export.graph import single_tensor
from export.importing.converted import Converted, compare
from export.importing.rows import Rows

SUFFIXES = (".joblib", ".pkl", ".pickle")
_OPSET = {"": 17, "ai.onnx.ml": 3}
_LONGEST_REASON = 200  # characters
_PACKAGES = ("skl2onnx", "scikit-learn", "onnx", "onnxruntime", "numpy")


def convert(file: Path, rows: Rows) -> Converted:
    """Unpickle and convert a model in a process of its own, and compare both on the rows.

    The graph has one input, and one output: probabilities, or the value of a regression.

    Raises:
        ExportError: a package is missing, the model is of another kind or can't be converted, or
            ONNX gives other results.

    """
    return child_process.fresh(_convert, file, rows)


def _convert(file: Path, rows: Rows) -> Converted:
    try:
        with warnings.catch_warnings(action="ignore"):  # about names of columns and old versions
            return _converted(file, rows)
    except ModuleNotFoundError as error:
        raise ExportError(
            f"{file}: needs the package {error.name}; install it where export is installed"
        ) from None


def _converted(file: Path, rows: Rows) -> Converted:
    model = _load(file)
    task = _task(file, model)
    by_name = _check_columns(file, model, rows)
    graph = _to_onnx(file, model, rows, by_name, task)
    classifies = task == "classification"
    data = _frame(rows) if by_name else rows.x
    predicted = model.predict_proba(data) if classifies else model.predict(data)
    expected = np.asarray(predicted, np.float64).reshape(len(rows.x), -1)
    names = tuple(map(str, model.classes_)) if classifies else ()
    tools = {package: metadata.version(package) for package in _PACKAGES}
    return Converted(graph, task, names, compare(graph, rows.x, expected, task), tools)


def _load(file: Path) -> Any:
    import joblib

    try:
        return joblib.load(file)
    except ModuleNotFoundError:
        raise
    except OSError as error:
        raise ExportError(f"{file}: {error.strerror}") from None
    except Exception as error:  # a pickle can raise anything
        raise ExportError(f"{file}: can't be unpickled: {type(error).__name__}: {error}") from None


def _task(file: Path, model: Any) -> str:
    from sklearn.base import BaseEstimator, is_classifier, is_regressor

    kind = f"{type(model).__module__}.{type(model).__name__}"
    if isinstance(model, BaseEstimator) and is_regressor(model):
        return "regression"
    if isinstance(model, BaseEstimator) and is_classifier(model):
        if hasattr(model, "predict_proba"):
            return "classification"
        raise ExportError(f"{file}: {kind} has no probabilities (predict_proba)")
    raise ExportError(
        f"{file}: expected a classifier or a regressor of scikit-learn, or XGBoost's with the same"
        f" interface, got {kind}"
    )


def _check_columns(file: Path, model: Any, rows: Rows) -> bool:
    """Refuse rows that are not the model's; returns whether it selects columns by name."""
    from sklearn.compose import ColumnTransformer

    if rows.x.ndim != 2 or rows.x.shape[1] != model.n_features_in_:
        raise ExportError(
            f"{file}: the model takes rows of shape [{model.n_features_in_}], and those supplied"
            f" have the shape {list(rows.x.shape[1:])}"
        )
    given = [feature.name for feature in rows.features]
    wanted = list(getattr(model, "feature_names_in_", given))
    if given and given != wanted:
        raise ExportError(
            f"{file}: the model takes the columns {', '.join(wanted)}, and the rows have"
            f" {', '.join(given)}"
        )
    by_name = any(isinstance(step, ColumnTransformer) for step in _steps(model))
    if by_name and given != wanted:
        raise ExportError(f"{file}: the model selects columns by name; expected rows in a CSV file")
    if rows.has_texts() and not by_name:
        raise ExportError(
            f"{file}: the rows have texts, which only a pipeline with a ColumnTransformer takes"
        )
    return by_name


def _steps(model: Any) -> list[Any]:
    """The model, and the steps of a pipeline."""
    return [model, *(step for _, step in getattr(model, "steps", ()))]


def _frame(rows: Rows) -> Any:
    import pandas as pd

    return pd.DataFrame(
        {
            feature.name: [feature.values[int(code)] for code in values]
            if feature.kind == "category"
            else values
            for feature, values in zip(rows.features, rows.x.T, strict=True)
        }
    )


def _to_onnx(file: Path, model: Any, rows: Rows, by_name: bool, task: str) -> onnx.ModelProto:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from sklearn.preprocessing import StandardScaler

    if "xgboost" in sys.modules:
        _prepare_xgboost(model)
    types: list[Any] = [(single_tensor.INPUT, FloatTensorType([None, rows.x.shape[1]]))]
    if by_name:
        types = [
            (one.name, (StringTensorType if one.values else FloatTensorType)([None, 1]))
            for one in rows.features
        ]
    # Divides, as scikit-learn does. Else a tree after it may decide differently at a threshold.
    options: dict[Any, Any] = {StandardScaler: {"div": "div"}}
    if task == "classification":
        options[id(model)] = {"zipmap": False}
    try:
        graph = to_onnx(model, initial_types=types, options=options, target_opset=_OPSET)
    except ModuleNotFoundError:
        raise
    except Exception as error:  # skl2onnx has no common class for what it raises
        reason = str(error).strip().partition("\n")[0][:_LONGEST_REASON]
        raise ExportError(f"{file}: can't be converted: {reason}") from None
    graph = single_tensor.keep_last_output(graph)
    return single_tensor.join_inputs(graph, rows.features) if by_name else graph


def _prepare_xgboost(model: Any) -> None:
    """Tell skl2onnx how to convert XGBoost's models, also in pipelines."""
    import xgboost
    from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    from skl2onnx import update_registered_converter
    from skl2onnx.common import shape_calculator as shapes

    update_registered_converter(
        xgboost.XGBClassifier,
        "XGBoostXGBClassifier",
        shapes.calculate_linear_classifier_output_shapes,
        convert_xgboost,
        options={"zipmap": [True, False, "columns"], "nocl": [True, False]},
    )
    update_registered_converter(
        xgboost.XGBRegressor,
        "XGBoostXGBRegressor",
        shapes.calculate_linear_regressor_output_shapes,
        convert_xgboost,
    )
    for step in _steps(model):
        if isinstance(step, xgboost.XGBModel):
            step.get_booster().feature_names = None  # the converter only knows f0, f1, ...
