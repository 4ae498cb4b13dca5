"""What augmentation does to images."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import Digits
from train.augmentation_options import STRENGTHS
from train.data.augment import Tensor, augment
from train.run_options import of_preset

SHAPE = (28, 28)
USUAL = of_preset()
STILL = of_preset(**dict.fromkeys(STRENGTHS, 0.0))


@pytest.fixture
def images(digits: Digits) -> Tensor:
    return tf.constant(digits.images[:64], tf.float32)


def center(images: Tensor) -> Tensor:
    """Row and column of each image's center of mass."""
    square = np.asarray(images).reshape(-1, 28, 28)
    mass = square.sum(axis=(1, 2))
    places = np.arange(28)
    rows = (square.sum(axis=2) * places).sum(axis=1) / mass
    columns = (square.sum(axis=1) * places).sum(axis=1) / mass
    return np.stack([rows, columns], axis=1)


def test_gives_other_images_of_the_same_kind(images: Tensor) -> None:
    changed = np.asarray(augment(images, tf.constant([0, 1]), SHAPE, USUAL))
    assert changed.shape == (64, 784)
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 255
    difference = np.abs(changed - np.asarray(images)).mean(axis=1)
    assert (difference > 1).all()
    mass = changed.sum(axis=1) / np.asarray(images).sum(axis=1)
    assert (mass > 0.5).all()
    assert (mass < 1.8).all()
    assert (np.abs(center(changed) - center(images)) < 5).all()


def test_the_seed_decides(images: Tensor) -> None:
    first, same, other = (
        np.asarray(augment(images, tf.constant(seed), SHAPE, USUAL))
        for seed in ([3, 4], [3, 4], [3, 5])
    )
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).mean() > 1


def test_each_image_of_a_batch_is_changed_otherwise(images: Tensor) -> None:
    same = tf.repeat(images[:1], 8, axis=0)
    changed = np.asarray(augment(same, tf.constant([0, 1]), SHAPE, USUAL))
    assert len(np.unique(changed, axis=0)) == 8


def test_without_strength_nothing_changes(images: Tensor) -> None:
    changed = augment(images, tf.constant([0, 1]), SHAPE, STILL)
    np.testing.assert_allclose(changed, images, atol=0.1)


@pytest.mark.parametrize("name", STRENGTHS)
def test_each_strength_does_its_part(images: Tensor, name: str) -> None:
    value = {"rotation": 15.0, "shift": 2.0, "displacement": 34.0}.get(name, 0.15)
    strength = dataclasses.replace(STILL, **{name: value})
    changed = np.asarray(augment(images, tf.constant([0, 1]), SHAPE, strength))
    assert (np.abs(changed - np.asarray(images)).mean(axis=1) > 0.1).mean() > 0.9
    moved = np.abs(center(changed) - center(images)).max(axis=1)
    if name == "shift":
        assert 0.5 < moved.mean() < 2
        assert moved.max() <= 2.1
    elif name != "displacement":
        assert moved.mean() < 0.6  # about the middle


def test_a_turn_is_a_turn() -> None:
    """A bar through the middle stays one, of the same length, and leans by the angle at most."""
    bar = np.zeros((50, 28, 28), np.float32)
    bar[:, 4:24, 13:15] = 255
    strength = dataclasses.replace(STILL, rotation=15.0)
    turned = augment(tf.constant(bar.reshape(50, 784)), tf.constant([0, 2]), SHAPE, strength)
    slopes = []
    for image in np.asarray(turned).reshape(50, 28, 28):
        rows, columns = np.nonzero(image > 127)
        slopes.append(np.polyfit(rows, columns, 1)[0])
        assert np.hypot(np.ptp(rows), np.ptp(columns)) == pytest.approx(19, abs=2)
    angles = np.degrees(np.arctan(slopes))
    assert -16 < angles.min() < -10
    assert 10 < angles.max() < 16


def test_other_images_move_in_proportion() -> None:
    """A dot in the middle of 8x12 pixels stays near it."""
    dots = np.zeros((50, 8, 12), np.float32)
    dots[:, 3:5, 5:7] = 255
    changed = augment(tf.constant(dots.reshape(50, 96)), tf.constant([0, 1]), (8, 12), USUAL)
    square = np.asarray(changed).reshape(50, 8, 12)
    assert np.abs(square - dots).max(axis=(1, 2)).min() > 1
    mass = square.sum(axis=(1, 2))
    rows = (square.sum(axis=2) * np.arange(8)).sum(axis=1) / mass
    columns = (square.sum(axis=1) * np.arange(12)).sum(axis=1) / mass
    assert np.abs(rows - 3.5).max() < 1
    assert np.abs(columns - 5.5).max() < 1
