"""The first layers of a network: from raw values to numbers that are good to learn from.

They are part of the model, so that no client or server has to scale, fill or encode anything.
"""

from typing import Any

import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from train.data.dataset import Dataset

Tensor = Any  # Keras publishes no types


def build(values: Tensor, dataset: Dataset, x: NDArray[np.float32]) -> Tensor:
    """Build the layers.

    Args:
        values: the input of the network: raw pixels, or columns as ``bundle/features.py`` has them.
        dataset: describes them.
        x: training rows, for the median, mean and variance of each number.

    Returns:
        Pixels from 0 to 1; or standardized numbers, indicators of missing ones, and one-hot
        categories and booleans.

    """
    if dataset.range:
        return layers.Rescaling(1 / dataset.range[1], name="scale")(values)
    parts = [*_numbers(values, dataset, x), *_one_hot(values, dataset)]
    return layers.Concatenate(name="encoded")(parts) if len(parts) > 1 else parts[0]


def _numbers(values: Tensor, dataset: Dataset, x: NDArray[np.float32]) -> list[Tensor]:
    """Standardize numbers, with the median for missing ones, and say which were missing."""
    indices = [index for index, one in enumerate(dataset.features) if one.kind == "number"]
    if not indices:
        return []
    numbers = _columns(values, indices)
    missing = ops.isnan(numbers)
    known = x[:, indices].astype(np.float64)
    median = np.nanmedian(known, axis=0)
    filled = np.where(np.isnan(known), median, known)
    mean, variance = filled.mean(axis=0), filled.var(axis=0)
    variance[variance == 0] = 1.0  # constant but for missing values
    complete = ops.where(missing, np.array(median, np.float32), numbers)
    scaled = layers.Normalization(mean=mean.tolist(), variance=variance.tolist(), name="scale")
    lacking = [
        column for column, index in enumerate(indices) if dataset.features[index].accepts_missing
    ]
    indicators = [ops.cast(_columns(missing, lacking), "float32")] if lacking else []
    return [scaled(complete), *indicators]


def _one_hot(values: Tensor, dataset: Dataset) -> list[Tensor]:
    """One-hot categories and booleans; all zeros for a missing or unknown value."""
    pairs = [
        (index, float(code))
        for index, feature in enumerate(dataset.features)
        if feature.kind != "number"
        for code in range(len(feature.values) or 2)  # a boolean has two
    ]
    if not pairs:
        return []
    indices, codes = zip(*pairs, strict=True)
    # By comparison: an unknown category is -1 and a missing one NaN, which no index may be.
    equal = ops.equal(_columns(values, list(indices)), np.array(codes, np.float32))
    return [ops.cast(equal, "float32")]


def _columns(values: Tensor, indices: list[int]) -> Tensor:
    if indices == list(range(values.shape[1])):
        return values
    return ops.take(values, np.array(indices, np.int32), axis=1)
