"""The Open Inference Protocol's names of datatypes."""

from bundle.manifest import DTYPES as _NAMES
from bundle.manifest import TEXT

BYTES = "BYTES"
"""The datatype of texts."""

_NUMERIC = {name: name.replace("float", "fp").upper() for name in sorted(_NAMES)}
DATATYPES = _NUMERIC | {TEXT: BYTES}
"""Dtypes of tensors -> the protocol's names."""

DTYPES = {datatype: dtype for dtype, datatype in _NUMERIC.items()}
"""The protocol's names -> numpy's names of dtypes, but for texts."""
