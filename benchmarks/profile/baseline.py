"""The in-process cost of a row of ``/predict``, measured again and again beside other things."""

from pathlib import Path

from benchmarks.load.protocols import Request
from benchmarks.profile import step_costs


class Floor:
    """Measurements in microseconds of CPU time a row."""

    def __init__(self, models: Path, request: Request, rows: int) -> None:
        self._models, self._request, self._rows = models, request, rows
        self.measured: list[float] = []

    def measure(self) -> None:
        """Measure once more."""
        within = step_costs.measure(self._models, "mnist", self._request, self._rows)
        self.measured.append(within.whole / self._rows)
