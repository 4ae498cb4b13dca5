"""The plots of a load test's page."""

from collections.abc import Sequence

from plotly import colors
from plotly.graph_objects import Bar, Figure, Scatter

from benchmarks.load import percentiles as percentile
from benchmarks.run.grid_point import Measured

_PALETTE = colors.qualitative.D3
_TAIL = 0.99


def by_size(cells: Sequence[Measured]) -> dict[int, list[Measured]]:
    """The cells of each number of rows, by users; the baseline is left out."""
    found: dict[int, list[Measured]] = {}
    for one in sorted(cells, key=lambda one: (one.cell.rows, one.cell.users)):
        if one.cell.rows:
            found.setdefault(one.cell.rows, []).append(one)
    return found


def knee(points: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Which (throughput, latency) has most throughput for its latency: Kleinrock's power."""
    return max(points, key=lambda point: point[0] / point[1], default=None)


def latency_against_throughput(cells: Sequence[Measured]) -> Figure:
    """A line for each size, a point for each number of users, a star at the knee."""
    figure = Figure()
    for number, measured in enumerate(by_size(cells).values()):
        known = [(one, tail) for one in measured if (tail := _percentile(one, _TAIL)) is not None]
        if not known:
            continue
        points = [(one.median("rows_per_second") or 0.0, tail) for one, tail in known]
        best = knee(
            [point for point, (one, _) in zip(points, known, strict=True) if not one.faults]
        )
        figure.add_trace(
            Scatter(
                x=[x for x, _ in points],
                y=[y for _, y in points],
                text=[f"{one.cell.users}" for one, _ in known],
                customdata=["; ".join(one.faults) for one, _ in known],
                name=known[0][0].cell.size,
                mode="lines+markers+text",
                textposition="top center",
                line={"color": _PALETTE[number % len(_PALETTE)]},
                marker={
                    "size": [16 if point == best else 9 for point in points],
                    "symbol": [
                        ("star" if point == best else "circle") + ("-open" if one.faults else "")
                        for point, (one, _) in zip(points, known, strict=True)
                    ],
                },
                hovertemplate="%{text} users: %{x:,.0f} rows/s, %{y:.2f} ms<br>%{customdata}",
            )
        )
    figure.update_xaxes(title="rows/s", type="log")
    figure.update_yaxes(title="p99, ms", type="log")
    return figure


def percentiles(cells: Sequence[Measured], users: int) -> Figure:
    """Bars of each percentile by size, with their bounds, at one number of users."""
    figure = Figure()
    chosen = [one for one in cells if one.cell.rows and one.cell.users == users]
    names = dict.fromkeys(found.name for one in chosen for found in one.percentiles)
    for number, name in enumerate(names):
        known = [(one, found) for one in chosen for found in one.percentiles if found.name == name]
        values = [found.milliseconds for _, found in known]
        figure.add_trace(
            Bar(
                x=[one.cell.size for one, _ in known],
                y=values,
                name=name,
                marker={"color": _PALETTE[number]},
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [found.high - found.milliseconds for _, found in known],
                    "arrayminus": [found.milliseconds - found.low for _, found in known],
                },
            )
        )
    figure.update_layout(barmode="group")
    figure.update_yaxes(title="ms", type="log")
    return figure


def cpu_per_row(cells: Sequence[Measured]) -> Figure | None:
    """Microseconds of the server's CPU time, by size; None where they are not known."""
    figure = Figure()
    for number, measured in enumerate(by_size(cells).values()):
        costs = [one.median("cpu_seconds_per_1000_rows") for one in measured]
        if None in costs:
            return None
        figure.add_trace(
            Bar(
                x=[f"{one.cell.users} user{'s' * (one.cell.users > 1)}" for one in measured],
                y=[1000 * (cost or 0.0) for cost in costs],
                name=measured[0].cell.size,
                marker={"color": _PALETTE[number % len(_PALETTE)]},
            )
        )
    figure.update_yaxes(title="µs of CPU a row", type="log")
    return figure


def memory(samples: Sequence[tuple[float, float]]) -> Figure | None:
    """MiB of the server over the whole run; None where they are not known."""
    if not samples:
        return None
    figure = Figure(Scatter(x=[at for at, _ in samples], y=[mib for _, mib in samples]))
    figure.update_xaxes(title="seconds")
    figure.update_yaxes(title="MiB (PSS) of the server", rangemode="tozero")
    return figure


def _percentile(measured: Measured, quantile: float) -> float | None:
    found = percentile.at(measured.latencies, quantile)
    return found.milliseconds if found else None
