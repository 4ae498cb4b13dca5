"""The IDX format of the MNIST files, plain or gzipped.

Two zero bytes, a type code, the number of dimensions, each dimension as a big-endian
32-bit integer, then the values in row-major order.
Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.errors import TrainError

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_PARTS = ("train-images", "train-labels", "t10k-images", "t10k-labels")


def parse(data: bytes) -> NDArray[Any]:
    """Parse the content of an IDX file.

    Raises:
        ValueError: it is not an IDX file, or its size does not match its header.

    """
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _DTYPES:
        raise ValueError("not an IDX file")
    dtype = np.dtype(_DTYPES[data[2]])
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise ValueError("the header is incomplete")
    shape = struct.unpack(f">{data[3]}I", data[4:start])
    expected = start + math.prod(shape) * dtype.itemsize
    if len(data) != expected:
        raise ValueError(f"has {len(data)} bytes, but its header says {expected}")
    return np.frombuffer(data, dtype, offset=start).reshape(shape)


def is_folder(folder: Path) -> bool:
    """Whether a folder has such files."""
    return any(folder.glob("*idx?-ubyte*"))


def read_folder(folder: Path) -> tuple[NDArray[Any], ...]:
    """Read the four files of a data set: train images and labels, test images and labels.

    The files may be called ``train-images-idx3-ubyte`` or ``train-images.idx3-ubyte``, each also
    with ``.gz``, and ``test-…`` instead of ``t10k-…``.
    """
    return tuple(_read(_find(folder, part)) for part in _PARTS)


def _find(folder: Path, part: str) -> Path:
    rank = 3 if part.endswith("images") else 1
    stems = (part, part.replace("t10k", "test"))
    names = [f"{s}{dot}idx{rank}-ubyte{gz}" for s in stems for dot in "-." for gz in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise TrainError(f"{folder}: no file {part}-idx{rank}-ubyte (or the same with .gz)")


def _read(path: Path) -> NDArray[Any]:
    try:
        data = path.read_bytes()
        return parse(gzip.decompress(data) if path.suffix == ".gz" else data)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise TrainError(f"{path}: {error}") from None
