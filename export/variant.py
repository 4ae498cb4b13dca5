"""The forms in which one and the same model can be published."""

from dataclasses import dataclass

INPUTS = ("float32", "uint8")
INT8 = ("dynamic", "static")
WEIGHTS = ("float32", "fp16")


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What is asked for."""

    input: str = "float32"
    """The dtype that the input takes, one of ``INPUTS``."""
    quantize: str | None = None
    """How to make the graph compute with eight-bit integers, one of ``INT8``."""
    weights: str = "float32"
    """How weights are stored, one of ``WEIGHTS``."""
    max_drop: float = 0.1
    """How much test accuracy smaller numbers may cost, in percentage points."""

    @property
    def method(self) -> str | None:
        """How its numbers are made smaller, if they are."""
        if self.quantize:
            return f"int8 {self.quantize}"
        return None if self.weights == "float32" else f"{self.weights} weights"

    @property
    def prefix(self) -> str:
        """What the names of its metrics begin with; empty for the plain form."""
        parts = [] if self.input == "float32" else [self.input]
        parts += (self.method or "").split()
        return "".join(f"{part}_" for part in parts)
