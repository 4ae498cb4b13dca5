"""Plots of a run: learning curves, and what the model gets wrong in validation."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from train.data.dataset import Dataset
from train.evaluation import task_metrics
from train.evaluation.permutation_importance import Importance

_MAX_COLUMNS = 30  # that one can read
_MAX_NAMED_CLASSES = 60  # with more, names and counts would not fit


def learning_curves(
    history: Mapping[str, Sequence[float]], metric: str, kept_epoch: float
) -> Figure:
    """Plot loss and a metric of training and validation by epoch; ``kept_epoch`` counts from 1."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    for axis, name in zip(figure.subplots(1, 2), ("loss", metric), strict=True):
        epochs = range(1, len(history[name]) + 1)
        axis.plot(epochs, history[name], label="training")
        axis.plot(epochs, history[f"val_{name}"], label="validation")
        axis.axvline(kept_epoch, color="grey", linestyle=":", label="kept")
        axis.set(xlabel="epoch", ylabel=name)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        axis.legend()
    return figure


def confusion_matrix(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], names: Sequence[str]
) -> Figure:
    """Plot counts of true by predicted class; only mistakes are coloured."""
    classes = len(names)
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (truth, predicted), 1)
    mistakes = counts - np.diag(np.diag(counts))
    side = 2 + 0.55 * (classes if classes <= _MAX_NAMED_CLASSES else 20)
    figure = Figure(figsize=(side + 0.6, side), layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(mistakes, cmap="Oranges")
    figure.colorbar(image, ax=axis, label="mistakes", shrink=0.8)
    if classes <= _MAX_NAMED_CLASSES:
        for row, column in np.argwhere(counts):
            text = axis.text(column, row, str(counts[row, column]), ha="center", va="center")
            text.set(fontsize=8, color="black")
            if mistakes[row, column] > 0.6 * mistakes.max():
                text.set_color("white")
        axis.set_xticks(range(classes), names)
        axis.set_yticks(range(classes), names)
    axis.set(xlabel="predicted", ylabel="true", title=f"{mistakes.sum()} mistakes in {len(truth)}")
    return figure


def reliability(truth: NDArray[np.int64], probabilities: NDArray[np.float32]) -> Figure:
    """Plot accuracy by confidence; a calibrated model lies on the diagonal."""
    confidence, accuracy, counts = task_metrics.reliability(truth, probabilities)
    error = task_metrics.calibration_error(truth, probabilities)
    used = counts > 0
    figure = Figure(figsize=(5.5, 6), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    upper.plot([0, 1], [0, 1], color="grey", linestyle=":", label="calibrated")
    upper.plot(confidence[used], accuracy[used], marker="o", label="this model")
    upper.set(ylabel="accuracy", ylim=(-0.02, 1.02), title=f"calibration error {error:.2%}")
    upper.legend()
    width = 1 / task_metrics.BINS
    lower.bar((np.arange(task_metrics.BINS) + 0.5) * width, counts, width * 0.9)
    lower.set(xlabel="confidence", ylabel="rows", xlim=(0, 1))
    for axis in (upper, lower):
        axis.grid(alpha=0.3)
    return figure


def residuals(truth: NDArray[np.float32], predicted: NDArray[np.float32]) -> Figure:
    """Plot predicted by true value, and the distribution of the errors."""
    errors = predicted - truth
    low, high = min(truth.min(), predicted.min()), max(truth.max(), predicted.max())
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot([low, high], [low, high], color="grey", linestyle=":", label="exact")
    left.scatter(truth, predicted, s=12, alpha=0.5)
    left.set(xlabel="true", ylabel="predicted", title=f"{len(truth)} rows")
    left.legend()
    right.hist(errors, bins=40)
    right.axvline(0, color="grey", linestyle=":")
    right.set(xlabel="predicted - true", ylabel="rows", title=f"mean error {errors.mean():.4g}")
    for axis in (left, right):
        axis.grid(alpha=0.3)
    return figure


def importance(columns: Sequence[Importance]) -> Figure:
    """Plot the permutation importance of columns, which come with the largest first."""
    shown = columns[:_MAX_COLUMNS]
    figure = Figure(figsize=(8, 1.2 + 0.28 * len(shown)), layout="constrained")
    axis = figure.subplots()
    names = [one.feature for one in shown]
    axis.barh(names, [one.mean for one in shown], xerr=[one.deviation for one in shown])
    axis.invert_yaxis()
    axis.margins(y=0.02)
    axis.set(xlabel="growth of the error if the column is shuffled (validation)")
    if len(columns) > len(shown):
        axis.set(title=f"the first {len(shown)} of {len(columns)} columns")
    axis.grid(axis="x", alpha=0.3)
    return figure


def worst_mistakes(
    dataset: Dataset,
    images: NDArray[np.float32],
    truth: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    limit: int = 40,
) -> Figure:
    """Show the misclassified images with the highest confidence, highest first."""
    names = dataset.class_names
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != truth)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:limit]
    columns = 8
    rows = max(1, -(-len(worst) // columns))
    figure = Figure(figsize=(1.35 * columns, 1.7 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, index in zip(axes.flat, worst, strict=False):
        axis.imshow(images[index].reshape(dataset.shape), cmap="gray_r")
        title = f"{names[truth[index]]} as {names[predicted[index]]}\n{confidence[index]:.1%}"
        axis.set_title(title, fontsize=8)
    return figure
