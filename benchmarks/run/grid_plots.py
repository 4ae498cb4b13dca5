"""The plots of a load test's page."""

from collections.abc import Sequence

from plotly import colors
from plotly.graph_objects import Bar, Figure, Scatter

from benchmarks.load import percentiles
from benchmarks.run.grid_point import PointResult

_PALETTE = colors.qualitative.D3
_TAIL = 0.99


def by_size(results: Sequence[PointResult]) -> dict[int, list[PointResult]]:
    """The points of each number of rows, by users, without the baseline."""
    found: dict[int, list[PointResult]] = {}
    for one in sorted(results, key=lambda one: (one.point.rows, one.point.users)):
        if one.point.rows:
            found.setdefault(one.point.rows, []).append(one)
    return found


def knee(points: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """The (throughput, latency) with the most throughput per latency, Kleinrock's power."""
    return max(points, key=lambda point: point[0] / point[1], default=None)


def latency_against_throughput(results: Sequence[PointResult]) -> Figure:
    """A line for each size, a point for each number of users, a star at the knee."""
    figure = Figure()
    for number, measured in enumerate(by_size(results).values()):
        known = [(one, tail) for one in measured if (tail := one.percentiles.get(_TAIL))]
        if not known:
            continue
        points = [(one.rows_per_second, tail.milliseconds) for one, tail in known]
        best = knee(
            [point for point, (one, _) in zip(points, known, strict=True) if not one.faults]
        )
        figure.add_trace(
            Scatter(
                x=[x for x, _ in points],
                y=[y for _, y in points],
                text=[f"{one.point.users}" for one, _ in known],
                customdata=["; ".join(one.faults) for one, _ in known],
                name=known[0][0].point.size,
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


def percentiles_by_size(results: Sequence[PointResult], users: int) -> Figure:
    """Bars of each percentile by size, with their spread over repeats, at one number of users."""
    figure = Figure()
    chosen = [one for one in results if one.point.rows and one.point.users == users]
    for number, quantile in enumerate(percentiles.QUANTILES):
        known = [(one, spread) for one in chosen if (spread := one.percentiles.get(quantile))]
        figure.add_trace(
            Bar(
                x=[one.point.size for one, _ in known],
                y=[spread.milliseconds for _, spread in known],
                name=percentiles.name(quantile),
                marker={"color": _PALETTE[number]},
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [spread.high - spread.milliseconds for _, spread in known],
                    "arrayminus": [spread.milliseconds - spread.low for _, spread in known],
                },
            )
        )
    figure.update_layout(barmode="group")
    figure.update_yaxes(title="ms", type="log")
    return figure


def cpu_per_row(results: Sequence[PointResult]) -> Figure | None:
    """Microseconds of the server's CPU time, by size; None if they are unknown."""
    figure = Figure()
    for number, measured in enumerate(by_size(results).values()):
        costs = [one.cpu_seconds_per_1000_rows for one in measured]
        if None in costs:
            return None
        figure.add_trace(
            Bar(
                x=[f"{one.point.users} user{'s' * (one.point.users > 1)}" for one in measured],
                y=[1000 * (cost or 0.0) for cost in costs],
                name=measured[0].point.size,
                marker={"color": _PALETTE[number % len(_PALETTE)]},
            )
        )
    figure.update_yaxes(title="µs of CPU per row", type="log")
    return figure
