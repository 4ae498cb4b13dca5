"""Plots of a run: learning curves, confusion matrix, and worst mistakes."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from train.data.datasets import SIDE

_MAX_NAMED_CLASSES = 60  # with more, names and counts would not fit


def learning_curves(history: Mapping[str, Sequence[float]], kept_epoch: float) -> Figure:
    """Plot loss and accuracy of training and validation by epoch; ``kept_epoch`` counts from 1."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    for axis, metric in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        epochs = range(1, len(history[metric]) + 1)
        axis.plot(epochs, history[metric], label="training")
        axis.plot(epochs, history[f"val_{metric}"], label="validation")
        axis.axvline(kept_epoch, color="grey", linestyle=":", label="kept")
        axis.set(xlabel="epoch", ylabel=metric)
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


def worst_mistakes(
    images: NDArray[np.float32],
    truth: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    names: Sequence[str],
    limit: int = 40,
) -> Figure:
    """Show the misclassified images with the highest confidence, highest first."""
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
        axis.imshow(images[index].reshape(SIDE, SIDE), cmap="gray_r")
        title = f"{names[truth[index]]} as {names[predicted[index]]}\n{confidence[index]:.1%}"
        axis.set_title(title, fontsize=8)
    return figure
