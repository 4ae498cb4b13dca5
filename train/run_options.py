"""What can be set for a training run: one table, of which the command line is made."""

import argparse
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli import number_types
from train import preset

LEARNING_RATES = {"sgd": 0.1, "rmsprop": 0.001, "adam": 0.001, "adamw": 0.001}
WITH_MOMENTUM = ("sgd", "rmsprop")
CHECKPOINTS = Path("checkpoints")
SCHEDULES = ("constant", "cosine")
KEEPS = ("best", "last")
PLACES = ("data", "labels", "cache", "checkpoints", "experiment")
"""Options that say where things lie, and nothing about the model."""
_RATES = ", ".join(f"{rate:g} with {name}" for name, rate in LEARNING_RATES.items())


def _option(
    group: str, parse: Callable[[str], Any], does: str, metavar: str | None = None, **more: Any
) -> Any:
    """An option of a run; its default is a preset's where ``more`` has none."""
    choices = more.pop("choices", None)
    told = {"group": group, "type": parse, "help": does, "metavar": metavar, "choices": choices}
    return field(metadata={key: value for key, value in told.items() if value is not None}, **more)


def _switch(group: str, does: str, **more: Any) -> Any:
    action = argparse.BooleanOptionalAction
    return field(metadata={"group": group, "help": does, "action": action}, **more)


@dataclass(frozen=True, kw_only=True)
class Options:
    """One training run. What has no default here has one in every preset."""

    data: Path | None = _option(
        "data",
        Path,
        "folder of IDX files, or .npz with x_train, y_train, x_test, y_test"
        " (default: MNIST, fetched once)",
        "PATH",
        default=None,
    )
    labels: Path | None = _option(
        "data",
        Path,
        "file with the name of each class, one a line (default: their numbers)",
        "FILE",
        default=None,
    )
    cache: Path = _option("data", Path, "where MNIST is kept", "DIR", default=Path("data"))
    validation_split: float = _option(
        "data",
        number_types.between(0, 1),
        "part of the training set that is kept aside; it alone judges epochs and runs",
        "FRACTION",
    )
    augment: bool = _switch("data", "turn, scale, slant, move and bend each image anew every time")
    hidden: tuple[int, ...] = _option(
        "model", number_types.counts, "units of each hidden layer", "N[,N…]"
    )
    dropout: float = _option(
        "model",
        number_types.between(0, 1, or_zero=True),
        "part of each hidden layer that is dropped while training",
        "RATE",
    )
    l2: float = _option(
        "model",
        number_types.not_negative,
        "L2 penalty on the weights of the hidden layers",
        "FACTOR",
    )
    batch_norm: bool = _switch("model", "normalize each hidden layer over the batch")
    label_smoothing: float = _option(
        "training",
        number_types.between(0, 1, or_zero=True),
        "part of each label that is shared out among all classes",
        "PART",
    )
    optimizer: str = _option("training", str, "optimizer", choices=sorted(LEARNING_RATES))
    learning_rate: float | None = _option(
        "training",
        number_types.positive,
        f"learning rate (default: {_RATES})",
        "RATE",
        default=None,
    )
    momentum: float = _option(
        "training",
        number_types.between(0, 1, or_zero=True),
        f"momentum, with {' or '.join(WITH_MOMENTUM)}",
        "PART",
    )
    weight_decay: float = _option(
        "training",
        number_types.not_negative,
        "part of each weight that a step takes off, times the learning rate, with adamw",
        "PART",
    )
    schedule: str = _option(
        "training", str, "of the learning rate; cosine ends at zero", choices=SCHEDULES
    )
    warmup: float = _option(
        "training",
        number_types.not_negative,
        "epochs in which a cosine's rate rises from zero",
        "EPOCHS",
    )
    epochs: int = _option("training", number_types.count, "passes over the training set", "N")
    keep: str = _option(
        "training",
        str,
        "the epoch whose weights are kept: the best one by validation accuracy, or the last one",
        choices=KEEPS,
    )
    batch_size: int = _option("training", number_types.count, "rows of one training step", "N")
    teacher: str | None = _option(
        "training",
        str,
        "run whose model's probabilities are learned, in place of the labels (default: none)",
        "RUN_ID",
        default=None,
    )
    temperature: float = _option(
        "training",
        number_types.positive,
        "what the logarithms of a teacher's and the model's probabilities are divided by",
        "T",
    )
    seed: int = _option(
        "training",
        number_types.seed,
        "of weights, split, order, dropout and augmentation",
        "N",
        default=0,
    )
    deterministic: bool = _switch(
        "training", "same seed, data and machine: same weights; slower", default=False
    )
    checkpoints: Path = _option(
        "run",
        Path,
        "where a run keeps what --resume needs, until it is done",
        "DIR",
        default=CHECKPOINTS,
    )
    experiment: str = _option("run", str, "MLflow experiment of the run", "NAME", default="mnist")

    @property
    def effective_learning_rate(self) -> float:
        """The learning rate given, else the optimizer's own default."""
        if self.learning_rate is None:
            return LEARNING_RATES[self.optimizer]
        return self.learning_rate

    def fault(self) -> str:
        """What does not go together; empty where all does."""
        if self.momentum and self.optimizer not in WITH_MOMENTUM:
            return f"--momentum goes with {' or '.join(WITH_MOMENTUM)}"
        if self.weight_decay and self.optimizer != "adamw":
            return "--weight-decay goes with adamw"
        if self.warmup and self.schedule != "cosine":
            return "--warmup goes with --schedule cosine"
        if self.teacher and self.label_smoothing:
            return "--teacher gives the targets: it goes without --label-smoothing"
        return ""

    @property
    def learns_probabilities(self) -> bool:
        """Are the targets probabilities of all classes, not class indices?"""
        return bool(self.teacher or self.label_smoothing)


def of_preset(name: str = preset.DEFAULT, **others: Any) -> Options:
    """The options of a preset, with ``others`` in place of some of them."""
    return Options(**preset.load(name) | others)


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Options as a file has them, each read as the command line would read it.

    Raises:
        ValueError: there is no such option, or not with this value.

    """
    return {name: _checked(name, value) for name, value in values.items()}


def _checked(name: str, value: Any) -> Any:
    fields = {field.name: field.metadata for field in dataclasses.fields(Options)}
    if name not in fields:
        raise ValueError(f"there is no option {name}; options are {', '.join(fields)}")
    told = fields[name]
    if "action" in told:
        if not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}; it must be true or false")
        return value
    try:
        read = told["type"](",".join(map(str, value)) if isinstance(value, list) else str(value))
    except argparse.ArgumentTypeError as error:
        raise ValueError(f"{name}: {error}") from None
    if read not in told.get("choices", [read]):
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(told['choices'])}")
    return read


def described(options: Options) -> dict[str, str]:
    """What of the options says something about the model, as people and MLflow read it."""
    values = dataclasses.asdict(options)
    values["learning_rate"] = options.effective_learning_rate
    values["hidden"] = ",".join(map(str, options.hidden))
    for place in PLACES:
        del values[place]
    return {name: str(value) for name, value in values.items()}


def to_json(options: Options) -> dict[str, Any]:
    """The options as JSON has them; see ``from_json``."""
    values = dataclasses.asdict(options)
    return {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}


def from_json(document: dict[str, Any]) -> Options:
    """What ``to_json`` gave."""
    paths = {"data", "labels", "cache", "checkpoints"}
    values = dict(document)
    for key in paths:
        values[key] = values[key] and Path(values[key])
    values["hidden"] = tuple(values["hidden"])
    return Options(**values)
