"""What one run is trained and validated on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from train.data.dataset import Dataset
from train.data.split import Part


@dataclass(frozen=True)
class TrainingData:
    """Rows and targets of one run."""

    dataset: Dataset
    training: Part
    validation: Part
    """With targets of the same kind as for training."""
    validation_truth: Part
    """The same rows with the targets of the data set."""
    class_weights: Mapping[int, float] | None = None
    """By class index; None if all rows count the same."""
    teachers: Callable[[Any], Any] | None = None
    """Computes the training targets of a batch, in place of those in ``training``."""
