"""The options of a run that say how images are augmented."""

from dataclasses import dataclass

from cli import number_types
from train import preset
from train.option_fields import option, switch

STRENGTHS = ("rotation", "scale", "shear", "shift", "displacement")


@dataclass(frozen=True, kw_only=True)
class AugmentationOptions:
    """Whether images are augmented, and by how much.

    Lengths in pixels are those for images of 28x28 pixels; those for others are in proportion.
    """

    augment: bool = switch(
        "augmentation",
        "rotate, scale, shear, shift and deform each image at random in every epoch",
    )
    rotation: float = option(
        "augmentation",
        number_types.not_negative,
        "largest rotation, in both directions",
        "DEGREES",
    )
    scale: float = option(
        "augmentation",
        number_types.between(0, 1, or_zero=True),
        "largest relative change of each axis",
        "FRACTION",
    )
    shear: float = option(
        "augmentation",
        number_types.not_negative,
        "largest shear: pixels sideways for each pixel up",
        "FACTOR",
    )
    shift: float = option(
        "augmentation",
        number_types.not_negative,
        "largest shift in both directions, in pixels of 28",
        "PIXELS",
    )
    displacement: float = option(
        "augmentation",
        number_types.not_negative,
        "largest elastic displacement in pixels of 28, before it is smoothed to about a 25th",
        "PIXELS",
    )

    def unused_strength(self) -> str:
        """Name of a strength that is set although nothing is augmented; empty if there is none."""
        if self.augment:
            return ""
        usual = preset.load(preset.DEFAULT)
        return next((name for name in STRENGTHS if getattr(self, name) != usual[name]), "")
