import io

import numpy as np

from train.training.result_plots import confusion_matrix


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
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    assert drawn.getvalue().startswith(b"\x89PNG")
