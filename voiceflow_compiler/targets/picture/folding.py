"""A tall picture folded into columns: hundreds of nodes in a row would be a ribbon nobody can print.

Links from one column to another are not drawn; their cards name them, at both ends.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from typing import Final

from voiceflow_compiler.targets.picture.layout import Box, Layout, Link, Point, lay_out

_TALL: Final = 4.0  # times as tall as wide, from which on a picture is folded
_SHAPE: Final = 1.35  # how much wider than tall the folded picture is to be, about: a sheet on its side
_BESIDE: Final = 64.0  # pixels between columns
_LOOK: Final = 0.12  # how far from its best place a fold may be, in columns


def columns(layout: Layout, links: Sequence[Link]) -> list[int]:
    """The column of every box, or nothing where the picture is well as it is."""
    if not layout.boxes or layout.height < _TALL * max(layout.width, 1000.0):
        return []
    count = max(2, round(sqrt(_SHAPE * layout.height / (layout.width + _BESIDE))))
    heights = [point.y for point in layout.boxes]
    folds = [
        _fold(at * layout.height / count, layout.height / count, heights, links) for at in range(1, count)
    ]
    return [sum(y > fold for fold in folds) for y in heights]


def side_by_side(boxes: Sequence[Box], links: Sequence[Link], column: Sequence[int]) -> Layout:
    """Each column laid out by itself, from left to right. No link leads from one to another."""
    points = [Point(0.0, 0.0)] * len(boxes)
    routes: list[tuple[Point, ...]] = [()] * len(links)
    labels: list[Point | None] = [None] * len(links)
    left, height = 0.0, 0.0
    for number in range(max(column) + 1):
        mine = [at for at, where in enumerate(column) if where == number]
        place = {at: new for new, at in enumerate(mine)}
        inner = [at for at, link in enumerate(links) if link.source in place]
        found = lay_out(
            [boxes[at] for at in mine],
            [
                replace(links[at], source=place[links[at].source], target=place[links[at].target])
                for at in inner
            ],
        )
        for at, point in zip(mine, found.boxes, strict=True):
            points[at] = Point(point.x + left, point.y)
        for at, route, label in zip(inner, found.routes, found.labels, strict=True):
            routes[at] = tuple(Point(point.x + left, point.y) for point in route)
            labels[at] = None if label is None else Point(label.x + left, label.y)
        left += found.width + _BESIDE
        height = max(height, found.height)
    return Layout(max(left - _BESIDE, 0.0), height, tuple(points), tuple(routes), tuple(labels))


def _fold(best: float, step: float, heights: Sequence[float], links: Sequence[Link]) -> float:
    """Where near its best place a fold cuts the fewest links."""
    rows = sorted({y for y in heights if abs(y - best) <= _LOOK * step}) or [best]
    return min(rows, key=lambda y: (_cut(y, heights, links), abs(y - best), y))


def _cut(fold: float, heights: Sequence[float], links: Sequence[Link]) -> int:
    return sum((heights[link.source] > fold) != (heights[link.target] > fold) for link in links)
