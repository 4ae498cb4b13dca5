"""Pictures of a run: how it learned, what it confuses, and its worst mistakes."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from train.data.datasets import SIDE


def learning_curves(history: Mapping[str, Sequence[float]], kept_epoch: float) -> Figure:
    """Loss and accuracy by epoch, for training and validation; ``kept_epoch`` counts from 1."""
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
    truth: NDArray[np.int64], predicted: NDArray[np.int64], labels: Sequence[str]
) -> Figure:
    """Counts of true class by predicted class; the colour shows the mistakes alone."""
    classes = len(labels)
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (truth, predicted), 1)
    mistakes = counts - np.diag(np.diag(counts))
    side = 2 + 0.55 * classes
    figure = Figure(figsize=(side + 0.6, side), layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(mistakes, cmap="Oranges")
    figure.colorbar(image, ax=axis, label="mistakes", shrink=0.8)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            dark = row != column and count > 0.6 * mistakes.max()
            colour = "white" if dark else "black"
            axis.text(column, row, str(count), ha="center", va="center", fontsize=8, color=colour)
    axis.set_xticks(range(classes), labels)
    axis.set_yticks(range(classes), labels)
    axis.set(xlabel="predicted", ylabel="true", title=f"{mistakes.sum()} mistakes in {len(truth)}")
    return figure


def worst_mistakes(
    images: NDArray[np.float32],
    truth: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    labels: Sequence[str],
    most: int = 40,
) -> Figure:
    """The wrongly classified images of which the model was surest, surest first."""
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != truth)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    columns = 8
    rows = max(1, -(-len(worst) // columns))
    figure = Figure(figsize=(1.35 * columns, 1.7 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, index in zip(axes.flat, worst, strict=False):
        axis.imshow(images[index].reshape(SIDE, SIDE), cmap="gray_r")
        title = f"{labels[truth[index]]} as {labels[predicted[index]]}\n{confidence[index]:.1%}"
        axis.set_title(title, fontsize=8)
    return figure
