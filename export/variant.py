"""The forms in which a model can be published."""

from dataclasses import dataclass

INPUTS = ("float32", "uint8")
INT8 = ("dynamic", "static")
WEIGHTS = ("float32", "fp16")


@dataclass(frozen=True, kw_only=True)
class Variant:
    """The form to publish, as given on the command line."""

    input: str = "float32"
    """Dtype of the input, one of ``INPUTS``."""
    quantize: str | None = None
    """How to compute with 8-bit integers, one of ``INT8``."""
    weights: str = "float32"
    """How the weights are stored, one of ``WEIGHTS``."""
    max_drop: float = 0.1
    """How much test accuracy quantization may cost, in percentage points, or how much it may raise
    the test RMSE, in percent."""

    @property
    def method(self) -> str | None:
        """Name of the quantization, if any."""
        if self.quantize:
            return f"int8 {self.quantize}"
        return None if self.weights == "float32" else f"{self.weights} weights"

    @property
    def prefix(self) -> str:
        """Prefix of the names of its metrics; empty for float32 input and weights."""
        parts = [] if self.input == "float32" else [self.input]
        parts += (self.method or "").split()
        return "".join(f"{part}_" for part in parts)
