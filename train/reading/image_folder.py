"""Images in a folder per class, such as ``cats/1.png`` and ``dogs/1.jpg``."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from train.errors import TrainError

_SUFFIXES = (".png", ".jpg", ".jpeg")


def class_folders(folder: Path) -> list[Path]:
    """The folders of the classes, by name; hidden ones are left out."""
    return sorted(one for one in folder.iterdir() if one.is_dir() and one.name[0] != ".")


def read(folder: Path, size: int) -> tuple[NDArray[np.uint8], NDArray[np.int64], tuple[str, ...]]:
    """Read all images as grey squares with sides of ``size`` pixels.

    Returns:
        Images (N, size, size), class indices (N,), and the names of the classes.

    Raises:
        TrainError: a class has no image, or an image can't be read.

    """
    images, targets, folders = [], [], class_folders(folder)
    for index, one in enumerate(folders):
        files = sorted(file for file in one.iterdir() if file.suffix.lower() in _SUFFIXES)
        if not files:
            raise TrainError(f"{one}: no images; expected files that end in {', '.join(_SUFFIXES)}")
        images += [_image(file, size) for file in files]
        targets += [index] * len(files)
    return np.stack(images), np.array(targets), tuple(one.name for one in folders)


def _image(file: Path, size: int) -> NDArray[np.uint8]:
    try:
        with Image.open(file) as image:
            return np.asarray(image.convert("L").resize((size, size)), np.uint8)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise TrainError(f"{file}: not a readable image: {error}") from None
