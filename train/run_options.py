"""The options of a training run; the command line is generated from this table."""

import argparse
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import number_types
from train import preset
from train.augmentation_options import AugmentationOptions
from train.data_options import DataOptions
from train.option_fields import option, switch

LEARNING_RATES = {"sgd": 0.1, "rmsprop": 0.001, "adam": 0.001, "adamw": 0.001}
WITH_MOMENTUM = ("sgd", "rmsprop")
CHECKPOINTS = Path("checkpoints")
SCHEDULES = ("constant", "cosine")
CLASS_WEIGHTS = ("balanced", "none")
KEPT_EPOCHS = ("best", "last")
LOCATION_OPTIONS = ("data", "class_names", "cache", "checkpoints", "experiment")
"""Options that name locations, and do not influence the model."""
DATA_OPTIONS = ("target", "drop", "id", "task", "unknown_categories", "size", "test_split")
"""Options that say which data set is made of the files. All runs of a sweep share one."""
_RATES = ", ".join(f"{rate:g} with {name}" for name, rate in LEARNING_RATES.items())


@dataclass(frozen=True, kw_only=True)
class Options(AugmentationOptions, DataOptions):
    """The options of one run. Those without a default here have one in every preset."""

    hidden: tuple[int, ...] = option(
        "model", number_types.counts, "units of each hidden layer", "N[,N…]"
    )
    filters: tuple[int, ...] = option(
        "model",
        number_types.counts,
        "filters of each convolution before the hidden layers, for images; the first has 5x5"
        " weights per input, the others 3x3, and the first two halve the image (default: none)",
        "N[,N…]",
        default=(),
    )
    start: str | None = option(
        "model",
        str,
        "run on images whose weights the network starts from, with convolutions written out as"
        " dense layers (default: random weights)",
        "RUN_ID",
        default=None,
    )
    dropout: float = option(
        "model",
        number_types.between(0, 1, or_zero=True),
        "fraction of each hidden layer that is dropped during training",
        "RATE",
    )
    l2: float = option(
        "model",
        number_types.not_negative,
        "L2 penalty on the weights of hidden layers",
        "FACTOR",
    )
    batch_norm: bool = switch("model", "batch normalization in each hidden layer")
    label_smoothing: float = option(
        "training",
        number_types.between(0, 1, or_zero=True),
        "fraction of each target that is distributed over all classes",
        "FRACTION",
    )
    class_weights: str = option(
        "training",
        str,
        "balanced gives rows of rare classes more weight, so that all classes count the same",
        choices=CLASS_WEIGHTS,
        default="none",
    )
    optimizer: str = option("training", str, "optimizer", choices=sorted(LEARNING_RATES))
    learning_rate: float | None = option(
        "training",
        number_types.positive,
        f"learning rate (default: {_RATES})",
        "RATE",
        default=None,
    )
    momentum: float = option(
        "training",
        number_types.between(0, 1, or_zero=True),
        f"momentum, with {' or '.join(WITH_MOMENTUM)}",
        "FRACTION",
    )
    weight_decay: float = option(
        "training",
        number_types.not_negative,
        "fraction of each weight subtracted per step, times the learning rate, with adamw",
        "FRACTION",
    )
    schedule: str = option(
        "training", str, "learning rate schedule; cosine ends at zero", choices=SCHEDULES
    )
    warmup: float = option(
        "training",
        number_types.not_negative,
        "epochs in which the rate rises from zero, with --schedule cosine",
        "EPOCHS",
    )
    epochs: int = option("training", number_types.count, "passes over the training set", "N")
    keep: str = option(
        "training",
        str,
        "keep the weights of the best epoch by validation accuracy (regression: RMSE), or of the"
        " last one",
        choices=KEPT_EPOCHS,
    )
    batch_size: int = option("training", number_types.count, "rows per training step", "N")
    teacher: tuple[str, ...] = option(
        "training",
        str,
        "run whose model gives the targets, for distillation; with several, each answers a part"
        " of every batch (default: none)",
        "RUN_ID",
        nargs="+",
        default=(),
    )
    temperature: float = option(
        "training",
        number_types.positive,
        "temperature of distillation",
        "T",
    )
    seed: int = option(
        "training",
        number_types.seed,
        "random seed of weights, order, dropout and augmentation",
        "N",
        default=0,
    )
    deterministic: bool = switch(
        "training", "same seed, data and machine give the same weights; slower", default=False
    )
    checkpoints: Path = option(
        "run",
        Path,
        "folder for checkpoints, which --resume needs; removed at the end of a run",
        "DIR",
        default=CHECKPOINTS,
    )
    experiment: str | None = option(
        "run", str, "MLflow experiment (default: the name of the data set)", "NAME", default=None
    )

    @property
    def effective_learning_rate(self) -> float:
        """The given learning rate, or the default of the optimizer."""
        if self.learning_rate is None:
            return LEARNING_RATES[self.optimizer]
        return self.learning_rate

    def conflict(self) -> str:
        """Why options can't be combined; empty if they can."""
        strength = self.unused_strength()
        conflicts = (
            (
                self.momentum and self.optimizer not in WITH_MOMENTUM,
                f"--momentum requires --optimizer {' or '.join(WITH_MOMENTUM)}",
            ),
            (
                self.weight_decay and self.optimizer != "adamw",
                "--weight-decay requires --optimizer adamw",
            ),
            (self.warmup and self.schedule != "cosine", "--warmup requires --schedule cosine"),
            (
                self.warmup > self.epochs,
                f"--warmup is {self.warmup:g} epochs, but --epochs is {self.epochs}",
            ),
            (
                self.teacher and self.label_smoothing,
                "--label-smoothing can't be combined with --teacher",
            ),
            (
                self.teacher and self.class_weights != "none",
                "--class-weights can't be combined with --teacher",
            ),
            (
                self.start and (self.filters or self.batch_norm),
                "--start can't be combined with --filters or --batch-norm",
            ),
            (strength, f"--{strength} requires --augment"),
        )
        return next((message for applies, message in conflicts if applies), "")

    @property
    def learns_probabilities(self) -> bool:
        """Whether targets are probabilities of all classes, not class indices."""
        return bool(self.teacher or self.label_smoothing)


def of_preset(name: str = preset.DEFAULT, **others: Any) -> Options:
    """The options of a preset, with ``others`` in place of some."""
    return Options(**preset.load(name) | others)


def of_values(values: Mapping[str, Any]) -> Options:
    """The options with these values, in which several of one option may be a list."""
    known: dict[str, Any] = {
        name: tuple(one) if isinstance(one, list) else one for name, one in values.items()
    }
    return Options(**known)


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check options from a file in the same way as those of the command line.

    Raises:
        ValueError: there is no such option, or its value is invalid.

    """
    return {name: _checked(name, value) for name, value in values.items()}


def _checked(name: str, value: Any) -> Any:
    fields = {field.name: field.metadata for field in dataclasses.fields(Options)}
    if name not in fields:
        raise ValueError(f"there is no option {name}; options are {', '.join(fields)}")
    metadata = fields[name]
    if "action" in metadata:
        if not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}; expected true or false")
        return value
    try:
        if "nargs" in metadata:
            return tuple(map(metadata["type"], value if isinstance(value, list) else [value]))
        read = metadata["type"](
            ",".join(map(str, value)) if isinstance(value, list) else str(value)
        )
    except argparse.ArgumentTypeError as error:
        raise ValueError(f"{name}: {error}") from None
    if read not in metadata.get("choices", [read]):
        raise ValueError(f"{name} is {value!r}; expected one of {', '.join(metadata['choices'])}")
    return read


def described(options: Options) -> dict[str, str]:
    """Options that influence the model, as text for people and MLflow."""
    values = dataclasses.asdict(options)
    values["learning_rate"] = options.effective_learning_rate
    for name in ("hidden", "filters", "teacher", "drop", "id"):
        values[name] = ",".join(map(str, values[name])) or None
    for name in LOCATION_OPTIONS:
        del values[name]
    return {name: str(value) for name, value in values.items()}


def to_json(options: Options) -> dict[str, Any]:
    """Convert options to JSON types."""
    values = dataclasses.asdict(options)
    return {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}


def from_json(document: dict[str, Any]) -> Options:
    """Convert the result of ``to_json`` back."""
    values = dict(document)
    for name in ("class_names", "cache", "checkpoints"):
        values[name] = values[name] and Path(values[name])
    return of_values(values)
