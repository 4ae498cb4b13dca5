import io

import numpy as np
from matplotlib.figure import Figure

from train.evaluation import result_plots
from train.evaluation.result_plots import confusion_matrix


def drawn(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def test_a_confusion_matrix_shows_counts_and_names() -> None:
    truth, predicted = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0])
    figure = confusion_matrix(truth, predicted, ["cat", "dog"])
    (axis, _) = figure.axes
    assert [text.get_text() for text in axis.texts] == ["1", "1", "1", "2"]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["cat", "dog"]
    assert axis.get_title() == "2 mistakes in 5"


def test_a_confusion_matrix_of_many_classes_can_be_drawn() -> None:
    classes = np.arange(1200)
    figure = confusion_matrix(classes, np.roll(classes, 1), [str(number) for number in classes])
    assert drawn(figure).startswith(b"\x89PNG")


def test_reliability_shows_confidence_and_accuracy() -> None:
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.3, 0.7]] * 2, np.float32)
    figure = result_plots.reliability(np.array([0, 0, 0, 1, 1, 1]), probabilities)
    upper, lower = figure.axes
    _, line = upper.get_lines()
    np.testing.assert_allclose(line.get_xydata(), [[0.7, 1], [0.9, 0.75]], atol=1e-6)
    assert [bar.get_height() for bar in lower.patches if bar.get_height()] == [2, 4]
    assert upper.get_title() == "calibration error 20.00%"  # (4 · 0.15 + 2 · 0.3) / 6
    assert drawn(figure).startswith(b"\x89PNG")


def test_residuals_show_the_errors() -> None:
    figure = result_plots.residuals(np.array([1, 2, 3], "f4"), np.array([2, 2, 4], "f4"))
    left, right = figure.axes
    np.testing.assert_array_equal(left.collections[0].get_offsets(), [[1, 2], [2, 2], [3, 4]])
    assert right.get_title() == "mean error 0.6667"
    assert drawn(figure).startswith(b"\x89PNG")
