"""docs/architecture.svg: the packages and their imports, and two paths through them."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

from docs.generate import packages, svg
from docs.generate.svg import Box
from tests import imports

WIDTH = 1240.0
LEFT_WIDTH, WIDEST = 470.0, 430.0
MARGIN, GAP, ROW_GAP = 20.0, 14.0, 28.0
CHARACTER = 5.7  # width of a small letter, about
REQUEST, MODEL = "#1f6feb", "#bc4c00"
COLOURS = {  # fill and stroke
    "train": ("#fff4e5", "#d97706"),
    "export": ("#eef2ff", "#4f46e5"),
    "serve": ("#ecfdf5", "#059669"),
    "benchmarks": ("#fdf2f8", "#be185d"),
}
SHARED = ("bundle", "tracking", "cli")
COLOURS |= dict.fromkeys(SHARED, ("#f6f8fa", "#8c959f"))
REQUEST_PATH = {
    "worker": "wakes up when a connection has data",
    "http": "reads the head and the body",
    "api": "finds the route",
    "inference": "checks the key and the queue, and batches",
    "protocols": "turns JSON into arrays, and back",
    "models": "runs the onnxruntime session",
}
MODEL_PATH = {
    "supervisor": "looks for new versions every few seconds",
    "rollout": "follows one new version at a time",
    "versions": "decides what is served: the serving plan",
    "processes": "starts a process that validates the version",
    "worker": "validates it, then every worker follows the plan",
    "models": "loads it and checks its golden outputs",
}


LABEL = "The packages of each part and what they import; the path of a request and of a model"


@dataclass(frozen=True)
class Drawing:
    """Part of a picture: its SVG, and where it ends."""

    parts: list[str]
    bottom: float


def draw() -> str:
    """The whole picture, from the code as it is."""
    top, left = MARGIN, []
    for part in ("train", "export", "benchmarks"):
        drawn = _packages(part, MARGIN, top, LEFT_WIDTH)
        left += drawn.parts
        top = drawn.bottom + GAP
    right, width = MARGIN + LEFT_WIDTH + GAP, WIDTH - LEFT_WIDTH - GAP - 2 * MARGIN
    serve = _packages("serve", right, MARGIN, width)
    legend = _legend(right, serve.bottom + GAP, width)
    shared = _shared(right, legend.bottom, width)
    height = max(top - GAP, shared.bottom) + MARGIN
    return svg.document(WIDTH, height, LABEL, left + serve.parts + legend.parts + shared.parts)


def _packages(part: str, left: float, top: float, width: float) -> Drawing:
    """A frame with the packages of a part in rows; each imports only from rows below it."""
    found = packages.graph(part)
    found = {p: i - {packages.BASE} for p, i in found.items() if p != packages.BASE}
    boxes: dict[str, Box] = {}
    row_top = top + 52
    for row in packages.levels(found):
        placed = _row(
            [f"{part}/{package}" for package in row], left + GAP, row_top, width - 2 * GAP
        )
        boxes |= {box.name: box for box in placed}
        row_top += placed[0].height + ROW_GAP
    bottom = row_top - ROW_GAP + GAP
    frame = Box(part, (_imports(part),), left, top, width, bottom - top, "#fff", COLOURS[part][1])
    arrows = [
        svg.arrow(boxes[package], boxes[other])
        for package, imported in packages.without_detours(found).items()
        for other in sorted(imported)
    ]
    parts = [frame.svg(), *arrows, *(box.svg() for box in boxes.values())]
    return Drawing(parts + (_badges(boxes) if part == "serve" else []), bottom)


def _row(paths: Sequence[str], left: float, top: float, width: float) -> list[Box]:
    """Boxes of packages side by side, as high as the longest text needs."""
    box_width = min((width - GAP * (len(paths) - 1)) / len(paths), WIDEST)
    begin = left + (width - len(paths) * (box_width + GAP) + GAP) / 2
    texts = [_wrapped(packages.summary(path), box_width) for path in paths]
    height = 34 + svg.LINE_HEIGHT * max(map(len, texts))
    return [
        Box(
            *(path.rpartition("/")[2], text),
            *(begin + number * (box_width + GAP), top, box_width, height),
            *COLOURS[path.partition("/")[0]],
        )
        for number, (path, text) in enumerate(zip(paths, texts, strict=True))
    ]


def _wrapped(text: str, width: float) -> tuple[str, ...]:
    return tuple(textwrap.wrap(text, int((width - 12) / CHARACTER)))


def _imports(part: str) -> str:
    others = sorted(imports.foreign(part) & {*COLOURS} - {part})
    return f"imports {', '.join(others)}" if others else "imports no other part"


def _shared(left: float, top: float, width: float) -> Drawing:
    """The parts that the others share, each one box."""
    boxes = [
        replace(box, lines=(*box.lines, _imports(box.name)), height=box.height + svg.LINE_HEIGHT)
        for box in _row(SHARED, left, top, width)
    ]
    return Drawing([box.svg() for box in boxes], top + boxes[0].height)


def _badges(boxes: dict[str, Box]) -> list[str]:
    """The steps of both paths, at the packages where they happen."""
    return [
        svg.badge(box.left + dx * box.width, box.top, number, colour)
        for path, colour, dx in ((REQUEST_PATH, REQUEST, 0.06), (MODEL_PATH, MODEL, 0.94))
        for number, box in enumerate((boxes[package] for package in path), 1)
    ]


def _legend(left: float, top: float, width: float) -> Drawing:
    """Both paths in words, beside each other."""
    parts: list[str] = []
    for column, (title, path, colour) in enumerate(
        (
            ("The path of a request", REQUEST_PATH, REQUEST),
            ("The path of a new model version", MODEL_PATH, MODEL),
        )
    ):
        x = left + column * width / 2
        parts.append(svg.text(x, top + 12, title, size=14, weight=600))
        for number, (package, does) in enumerate(path.items(), 1):
            y = top + 12 + 24 * number
            parts.append(svg.badge(x + 9, y - 4, number, colour))
            parts.append(svg.text(x + 26, y, f"{package}: {does}"))
    return Drawing(parts, top + 12 + 24 * len(REQUEST_PATH) + GAP)
