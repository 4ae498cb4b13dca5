"""The plots of a comparison page."""

import math
from collections.abc import Mapping, Sequence
from statistics import mean

from plotly import colors
from plotly.graph_objects import Bar, Figure, Scatter
from plotly.subplots import make_subplots

from tracking import metrics
from tracking.metrics import LATENCIES, METRICS
from train.compare import finished_runs
from train.compare.run_groups import Group, differing

_PALETTE = colors.qualitative.D3
_TITLES = {one.key: one.title for one in METRICS}
_COLUMNS = 3


def learning_curves(groups: Sequence[Group], task: str) -> Figure:
    """Plot the task's metric and the loss in validation by epoch, with one colour per group."""
    plotted = (metrics.primary(task, "val"), "val_loss")
    titles = (f"validation {metrics.PRIMARY[task]}", "validation loss")
    figure = make_subplots(1, 2, subplot_titles=titles)
    for number, group in enumerate(groups):
        for run in group.runs:
            for column, metric in enumerate(plotted, 1):
                epochs, values = finished_runs.curves(run, metric)
                trace = Scatter(
                    x=epochs,
                    y=values,
                    name=group.name,
                    legendgroup=str(number),
                    showlegend=column == 1 and run is group.runs[0],
                    line={"color": _colour(number), "width": 1.5},
                    mode="lines" if len(epochs) > 1 else "markers",
                    hovertemplate=f"{group.name}, seed {run.seed}<br>epoch %{{x}}: %{{y:.4f}}",
                )
                figure.add_trace(trace, 1, column)
    last = max((len(trace.x) for trace in figure.data), default=1)
    figure.update_xaxes(title="epoch", dtick=math.ceil(last / 10))
    return figure


def options(groups: Sequence[Group], metric: str) -> Figure | None:
    """Plot the metric by each option that differs; None if none does."""
    names, chosen = _plotted(groups)
    if not names:
        return None
    lines = math.ceil(len(names) / _COLUMNS)
    figure = make_subplots(
        lines, _COLUMNS, subplot_titles=names, shared_yaxes=True, vertical_spacing=0.3 / lines
    )
    for index, name in enumerate(names):
        row, column = index // _COLUMNS + 1, index % _COLUMNS + 1
        texts = [one.get(name, "–") for one in chosen]
        numbers = _numbers(texts)
        for number, (group, text) in enumerate(zip(groups, texts, strict=True)):
            values = group.values(metric)
            trace = Scatter(
                x=[text if numbers is None else numbers[number]] * len(values),
                y=values,
                mode="markers",
                marker={"color": _colour(number), "size": 9, "opacity": 0.8},
                hovertemplate=f"{group.name}<br>{name} {text}: %{{y:.4f}}<extra></extra>",
                showlegend=False,
            )
            figure.add_trace(trace, row, column)
        if numbers is None:
            figure.update_xaxes(type="category", row=row, col=column)
        elif min(numbers) > 0 and max(numbers) > 20 * min(numbers):
            figure.update_xaxes(type="log", dtick="D2", row=row, col=column)
    figure.update_yaxes(title=metric, col=1)
    figure.update_layout(height=120 + 260 * lines)
    return figure


def pareto_front(groups: Sequence[Group], task: str) -> Figure:
    """Plot the validation result by latency, and the Pareto front: groups that none beats in both.

    Without a measured latency, the number of parameters takes its place.
    """
    metric = metrics.primary(task, "val")
    cost = next(
        key for key in (*LATENCIES, "parameters") if any(group.values(key) for group in groups)
    )
    points = [
        (mean(group.values(cost)), mean(group.values(metric)), number)
        for number, group in enumerate(groups)
        if group.values(cost) and group.values(metric)
    ]
    sign = -1 if metrics.lower_is_better(metric) else 1
    best = [(x, sign * y) for x, y in pareto_points([(x, sign * y) for x, y, _ in points])]
    figure = Figure(
        Scatter(
            x=[x for x, _ in best],
            y=[y for _, y in best],
            mode="lines",
            line={"color": "grey", "dash": "dot", "shape": "hv"},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    for x, y, number in points:
        figure.add_trace(
            Scatter(
                x=[x],
                y=[y],
                name=groups[number].name,
                mode="markers+text" if (x, y) in best else "markers",
                text=groups[number].name,
                textposition="top center",
                marker={"size": 11, "color": _colour(number)},
                hovertemplate="%{text}<br>%{x:,.4g}: %{y:.4f}<extra></extra>",
                showlegend=False,
            )
        )
    title = _TITLES[cost]
    if cost not in LATENCIES:
        title += " (export measures latencies)"
    figure.update_xaxes(title=title, type="log", dtick="D2")
    figure.update_yaxes(title=f"validation {metrics.PRIMARY[task]}")
    return figure


def pareto_points(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points (cost, gain), by rising cost, with more gain than all points of less cost."""
    kept: list[tuple[float, float]] = []
    for x, y in sorted(points, key=lambda point: (point[0], -point[1])):
        if not kept or y > kept[-1][1]:
            kept.append((x, y))
    return kept


def importance(parts: Mapping[str, float]) -> Figure:
    """Plot the importance of each option of a search."""
    ordered = sorted(parts.items(), key=lambda item: item[1])
    names, values = zip(*ordered, strict=True)
    figure = Figure(Bar(x=values, y=names, orientation="h", marker={"color": _PALETTE[0]}))
    figure.update_xaxes(title="share of the variance of the validation result", tickformat=".0%")
    figure.update_layout(height=120 + 40 * len(parts))
    return figure


def _plotted(groups: Sequence[Group]) -> tuple[list[str], list[dict[str, str]]]:
    """The options that differ, with hidden layers as width and depth if all layers are equal."""
    names, options = differing(groups), [group.options for group in groups]
    layers = [one.get("hidden", "").split(",") for one in options]
    if "hidden" not in names or any(len(set(one)) > 1 for one in layers):
        return names, options
    shapes = [{"width": one[0], "depth": str(len(one))} for one in layers]
    differ = [key for key in ("width", "depth") if len({shape[key] for shape in shapes}) > 1]
    names[names.index("hidden") : names.index("hidden") + 1] = differ
    return names, [one | shape for one, shape in zip(options, shapes, strict=True)]


def _numbers(texts: Sequence[str]) -> list[float] | None:
    try:
        return [float(text) for text in texts]
    except ValueError:
        return None


def _colour(number: int) -> str:
    return str(_PALETTE[number % len(_PALETTE)])
