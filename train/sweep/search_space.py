"""What a search is over: ranges and choices of options."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from train import run_options

if TYPE_CHECKING:  # the command line is read with this module, and need not load all of it
    import optuna

# Together they make the option hidden, so that a search sees two numbers and not one of many lists.
SHAPE = {"width", "depth"}
_SIMPLE = {bool, int, float, str}
_KEYS = ({"low", "high"}, {"low", "high", "log"}, {"choices"})


@dataclass(frozen=True)
class Parameter:
    """Numbers between two others, both included, or one of several values."""

    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()

    def suggest(self, name: str, trial: "optuna.Trial") -> Any:
        """What a trial shall take."""
        if self.choices:
            return trial.suggest_categorical(name, self.choices)
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(name, self.low, self.high, log=self.log)
        return trial.suggest_float(name, float(self.low or 0), float(self.high or 0), log=self.log)


def read_space(document: Mapping[str, Any]) -> dict[str, Parameter]:
    """Read a plan's space.

    Raises:
        ValueError: it is none; the message says why.

    """
    space = {name: _parameter(name, values) for name, values in document.items()}
    for name, parameter in space.items():
        for value in parameter.choices or (parameter.low, parameter.high):
            if name not in SHAPE:
                varied({name: value})
            elif type(value) is not int or value < 1:
                raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1")
    if SHAPE & space.keys() and not space.keys() >= SHAPE:
        raise ValueError("a space has both of width and depth, or neither")
    return space


def varied(values: Mapping[str, Any]) -> dict[str, Any]:
    """What sets a run of a sweep apart from others.

    Raises:
        ValueError: there is no such option, or not with this value, or it is one for all runs.

    """
    if shared := sorted(values.keys() & {*run_options.PLACES, "seed"}):
        raise ValueError(
            f"{', '.join(shared)}: the same for all runs; set it in [options], or in the command"
        )
    return run_options.checked(values)


def settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """The options, by their names, that values of parameters stand for."""
    others = {name: value for name, value in values.items() if name not in SHAPE}
    if values.keys() >= SHAPE:
        others["hidden"] = [values["width"]] * values["depth"]
    return varied(others)


def _parameter(name: str, values: Any) -> Parameter:
    if not isinstance(values, dict) or values.keys() not in _KEYS:
        raise ValueError(f"{name} in the space has low and high (and log), or choices")
    if "choices" in values:
        choices = values["choices"]
        if not isinstance(choices, list) or not choices or not set(map(type, choices)) <= _SIMPLE:
            raise ValueError(f"the choices of {name} are a list of numbers, texts, true or false")
        return Parameter(choices=tuple(choices))
    low, high = values["low"], values["high"]
    if not all(type(value) in (int, float) for value in (low, high)) or low > high:
        raise ValueError(f"{name} goes from {low!r} to {high!r}; it must go from a number up")
    log = values.get("log", False)
    if not isinstance(log, bool):
        raise ValueError(f"log of {name} is {log!r}; it must be true or false")
    if log and low <= 0:
        raise ValueError(f"{name} goes from {low}; on a logarithmic scale it begins above 0")
    return Parameter(low, high, log)
