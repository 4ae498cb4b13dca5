"""The order of training."""

from typing import Any

import numpy as np

from train.data.batches import batches, steps
from train.run_options import of_preset

X = np.arange(10, dtype=np.float32)[:, None] * np.ones(784, np.float32)
Y = np.arange(10)


def labels(**others: Any) -> list[list[int]]:
    """Of each batch."""
    first = others.pop("first_epoch", 0)
    chosen = of_preset("default", **{"epochs": 3, "batch_size": 4} | others)
    return [np.asarray(y).tolist() for _, y in batches(X, Y, chosen, first)]


def test_each_epoch_has_every_row_once_in_another_order() -> None:
    got = labels()
    assert [len(batch) for batch in got] == [4, 4, 2] * 3
    epochs = [[*got[start], *got[start + 1], *got[start + 2]] for start in (0, 3, 6)]
    assert all(sorted(epoch) == Y.tolist() for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert steps(10, of_preset("default", batch_size=4)) == 3


def test_images_go_with_their_labels() -> None:
    chosen = of_preset("default", epochs=1, batch_size=4)
    for images, targets in batches(X, Y, chosen):
        assert np.asarray(images)[:, 0].tolist() == np.asarray(targets).tolist()


def test_a_later_start_gives_what_would_have_come() -> None:
    assert labels(first_epoch=1) == labels()[3:]
    assert labels(seed=1) != labels()


def test_augmented_images_depend_on_the_epoch() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 255, (10, 784)).astype(np.float32)
    chosen = of_preset("accurate", epochs=2, batch_size=4)
    whole = [np.asarray(images) for images, _ in batches(x, Y, chosen, shape=(28, 28))]
    rest = [np.asarray(images) for images, _ in batches(x, Y, chosen, 1, shape=(28, 28))]
    for one, other in zip(whole[3:], rest, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(whole[0], whole[3])


def test_teachers_give_the_targets() -> None:
    chosen = of_preset("default", epochs=1, batch_size=4)
    taught = batches(X, Y, chosen, teachers=lambda images: images[:, :2] * 2)
    for images, targets in taught:
        np.testing.assert_array_equal(targets, images[:, :2] * 2)
