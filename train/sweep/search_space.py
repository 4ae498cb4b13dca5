"""The space of a search: ranges and choices of options."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from train import run_options

if TYPE_CHECKING:  # the command line imports this module, and must start quickly
    import optuna

# These two replace the option hidden, so that a search varies two numbers instead of a list.
SHAPE = {"width", "depth"}
_SIMPLE = {bool, int, float, str}
_KEYS = ({"low", "high"}, {"low", "high", "log"}, {"choices"})


@dataclass(frozen=True)
class Parameter:
    """A range of numbers, both ends included, or a list of choices."""

    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()

    def suggest(self, name: str, trial: "optuna.Trial") -> Any:
        """Suggest a value for a trial."""
        if self.choices:
            return trial.suggest_categorical(name, self.choices)
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(name, self.low, self.high, log=self.log)
        return trial.suggest_float(name, float(self.low or 0), float(self.high or 0), log=self.log)


def read_space(document: Mapping[str, Any]) -> dict[str, Parameter]:
    """Read the space of a plan.

    Raises:
        ValueError: it is invalid.

    """
    space = {name: _parameter(name, values) for name, values in document.items()}
    for name, parameter in space.items():
        for value in parameter.choices or (parameter.low, parameter.high):
            if name not in SHAPE:
                varied({name: value})
            elif type(value) is not int or value < 1:
                raise ValueError(f"{name} is {value!r}; expected a whole number of at least 1")
    if SHAPE & space.keys() and not space.keys() >= SHAPE:
        raise ValueError("width and depth can only be used together")
    return space


def varied(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check options in which the runs of a sweep differ.

    Raises:
        ValueError: there is no such option, its value is invalid, or it must not differ.

    """
    fixed = {*run_options.LOCATION_OPTIONS, *run_options.DATA_OPTIONS, "seed", "split_seed"}
    if shared := values.keys() & fixed:
        raise ValueError(
            f"{', '.join(sorted(shared))}: must be the same for all runs; set it in [options] or"
            " on the command line"
        )
    return run_options.checked(values)


def settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the values of parameters to options by name."""
    others = {name: value for name, value in values.items() if name not in SHAPE}
    if values.keys() >= SHAPE:
        others["hidden"] = [values["width"]] * values["depth"]
    return varied(others)


def _parameter(name: str, values: Any) -> Parameter:
    if not isinstance(values, dict) or values.keys() not in _KEYS:
        raise ValueError(f"{name}: expected low and high (and log), or choices")
    if "choices" in values:
        choices = values["choices"]
        if not isinstance(choices, list) or not choices or not set(map(type, choices)) <= _SIMPLE:
            raise ValueError(f"choices of {name}: expected a list of numbers, strings or booleans")
        return Parameter(choices=tuple(choices))
    low, high = values["low"], values["high"]
    if not all(type(value) in (int, float) for value in (low, high)) or low > high:
        raise ValueError(
            f"{name} ranges from {low!r} to {high!r}; expected two numbers, the lower one first"
        )
    log = values.get("log", False)
    if not isinstance(log, bool):
        raise ValueError(f"log of {name} is {log!r}; expected true or false")
    if log and low <= 0:
        raise ValueError(f"{name} starts at {low}; a logarithmic range must start above 0")
    return Parameter(low, high, log)
