"""Measurements in a manifest: parity with the source model, and the cost of quantization."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How far the outputs of two models differ on some rows."""

    rows: int
    """That were compared."""
    max_abs_difference: float
    """Largest absolute difference of any output value."""
    mean_abs_difference: float | None = None
    """Mean absolute difference of the output values."""
    top1_agreement: float | None = None
    """Fraction of rows whose largest output is the same, 0..1; missing for a regression."""
    max_abs_logit_difference: float | None = None
    """Largest absolute difference of the scores before a softmax; missing where there is none."""
    mean_abs_logit_difference: float | None = None
    """Mean absolute difference of these scores."""


@dataclass(frozen=True, kw_only=True)
class Parity(Difference):
    """How closely the ONNX model answers as its Keras source does: over all, and part by part."""

    scale: float = 1.0
    """What differences are judged by: 1 for probabilities, else the size of the output values."""
    parts: Mapping[str, Difference] = field(default_factory=dict)
    """By what was asked: the test set in batches of several sizes, and edge inputs."""


@dataclass(frozen=True, kw_only=True)
class Quantization:
    """What smaller numbers than float32 cost, and what the same graph was without them."""

    method: str
    """Such as ``int8 static``."""
    accuracy_loss: float | None = None
    """Test accuracy before less that after, 0..1; negative where it rose. Of a classification."""
    rmse_increase: float | None = None
    """How much the test RMSE rose, as a fraction of that before. Of a regression."""
    bytes_before: int
    """Size of the graph with float32 weights."""
    us_per_row_before: Mapping[str, float]
    """The manifest's ``us_per_row`` of that graph."""
