"""Where everything stands: a layered layout after Sugiyama, for boxes of any size and links with labels.

1. Links that close a cycle are turned round, then every box gets the rank of its longest way from the start.
2. A link that passes a rank holds a place there (a stop), and its label is a stop of the label's size: no
   link runs through a box and no label lies on anything.
3. Ranks are ordered by the middle of their neighbours, keeping the order with the fewest crossings.
4. Across, each rank is the least-squares answer to "stand below your neighbours, keep your distance"; then
   the links are drawn as straight as their neighbours let them.

Plain arithmetic in a fixed order: equal input gives equal coordinates on every machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Final

from voiceflow_compiler.targets.picture.crossing import order_ranks

_BESIDE: Final = 26.0  # between two boxes
_CLOSE: Final = 12.0  # between a link and anything
_BETWEEN: Final = 18.0  # between two ranks, at least
_SWEEPS: Final = 40
_STRAIGHTENINGS: Final = 6
_STEADY: Final = {0: 1.0, 1: 2.0, 2: 8.0}  # how much a link wants to be straight, by its ends that are stops


@dataclass(frozen=True, slots=True)
class Box:
    """A box to place, `width` by `height` pixels."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Link:
    """A link between two boxes by their numbers, with the size of its label (0 by 0 for none)."""

    source: int
    target: int
    width: float = 0.0
    height: float = 0.0


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Layout:
    """`boxes` and `labels` are centres. A route is pairs of points, straight within and curved between."""

    width: float
    height: float
    boxes: tuple[Point, ...]
    routes: tuple[tuple[Point, ...], ...]
    labels: tuple[Point | None, ...]


@dataclass(slots=True)
class _Stop:
    """A box, or the place a link holds in a rank."""

    rank: int
    width: float
    height: float
    real: bool
    x: float = 0.0
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)


def lay_out(boxes: Sequence[Box], links: Sequence[Link]) -> Layout:
    """Place boxes from top to bottom, the first on top. A link from a box to itself gets no route."""
    turned = _turned(len(boxes), links)
    ranks = _ranks(len(boxes), [_downward(link, back=back) for link, back in zip(links, turned, strict=True)])
    stops = [_Stop(rank, box.width, box.height, real=True) for rank, box in zip(ranks, boxes, strict=True)]
    chains = [_chain(stops, link, back=back) for link, back in zip(links, turned, strict=True)]
    rows = order_ranks([stop.rank for stop in stops], [stop.below for stop in stops])
    _place_across(stops, rows)
    spines = _spines(len(boxes), chains)
    for _ in range(_STRAIGHTENINGS):
        _straighten(stops, rows, spines)
        _straighten(stops, rows, [chain[1:-1] for chain in chains])
    _move_to_the_edge(stops)
    bands = _bands(stops, rows)
    return _finished(stops, len(boxes), links, turned, chains, bands)


def spans(count: int, links: Sequence[Link]) -> list[int]:
    """How many ranks each link would reach across: what it costs to place, and to follow with the eye."""
    turned = _turned(count, links)
    ranks = _ranks(count, [_downward(link, back=back) for link, back in zip(links, turned, strict=True)])
    return [abs(ranks[link.target] - ranks[link.source]) for link in links]


def _downward(link: Link, *, back: bool) -> tuple[int, int]:
    return (link.target, link.source) if back else (link.source, link.target)


def _turned(count: int, links: Sequence[Link]) -> list[bool]:
    """Which links close a cycle, by one walk in depth from the first box."""
    out: list[list[int]] = [[] for _ in range(count)]
    for number, link in enumerate(links):
        out[link.source].append(number)
    state = [0] * count  # 0 not met, 1 on the walk, 2 done
    turned = [False] * len(links)
    for root in range(count):
        walk = [(root, iter(out[root]))] if state[root] == 0 else []
        state[root] = state[root] or 1
        while walk:
            here, ahead = walk[-1]
            number = next(ahead, -1)
            if number < 0:
                state[here] = 2
                walk.pop()
                continue
            target = links[number].target
            turned[number] = state[target] == 1
            if state[target] == 0:
                state[target] = 1
                walk.append((target, iter(out[target])))
    return turned


def _ranks(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Longest ways from the top, counted double: the odd ranks between are for labels."""
    below: list[list[int]] = [[] for _ in range(count)]
    waits = [0] * count
    for source, target in pairs:
        if source != target:
            below[source].append(target)
            waits[target] += 1
    ranks = [0] * count
    ready = [number for number in range(count) if waits[number] == 0]
    for number in ready:
        for target in below[number]:
            ranks[target] = max(ranks[target], ranks[number] + 2)
            waits[target] -= 1
            if waits[target] == 0:
                ready.append(target)
    _lower_the_unmet(ranks, below, ready)
    return ranks


def _lower_the_unmet(ranks: list[int], below: list[list[int]], order: list[int]) -> None:
    """What the start does not lead to stands just above what it leads to itself, not beside the start."""
    met = {0}
    for number in order:
        if number in met:
            met.update(below[number])
    for number in reversed(order):
        if number not in met and below[number]:
            ranks[number] = min(ranks[target] for target in below[number]) - 2


def _chain(stops: list[_Stop], link: Link, *, back: bool) -> list[int]:
    """The stops of a link from top to bottom, its label beside its own source."""
    if link.source == link.target:
        return []
    top, bottom = _downward(link, back=back)
    labelled = stops[bottom].rank - 1 if back else stops[top].rank + 1
    chain = [top]
    for rank in range(stops[top].rank + 1, stops[bottom].rank):
        here = rank == labelled
        stops.append(_Stop(rank, link.width if here else 0.0, link.height if here else 0.0, real=False))
        chain.append(len(stops) - 1)
    chain.append(bottom)
    for upper, lower in pairwise(chain):
        stops[upper].below.append(lower)
        stops[lower].above.append(upper)
    return chain


def _place_across(stops: list[_Stop], rows: list[list[int]]) -> None:
    gaps = [[_gap(stops[left], stops[right]) for left, right in pairwise(row)] for row in rows]
    for row, apart in zip(rows, gaps, strict=True):
        for (left, right), gap in zip(pairwise(row), apart, strict=True):
            stops[right].x = stops[left].x + gap
    for sweep in range(max(4, min(_SWEEPS, 400_000 // (len(stops) + 1)))):
        numbers = range(len(rows)) if sweep % 2 == 0 else range(len(rows) - 1, -1, -1)
        for number in numbers:
            row = rows[number]
            wished = [_wish(stops, each) for each in row]
            for each, x in zip(row, _spread(wished, gaps[number]), strict=True):
                stops[each].x = x


def _straighten(stops: list[_Stop], rows: list[list[int]], chains: list[list[int]]) -> None:
    """Give as many stops of a link in a row as can have it one and the same place across."""
    beside: dict[int, tuple[int | None, int | None]] = {}
    for row in rows:
        for left, here, right in zip([None, *row], row, [*row[1:], None], strict=False):
            beside[here] = (left, right)
    for chain in chains:
        ahead = chain
        while ahead:
            low, high, run = -inf, inf, 0
            for each in ahead:
                left, right = beside[each]
                at_least = -inf if left is None else stops[left].x + _gap(stops[left], stops[each])
                at_most = inf if right is None else stops[right].x - _gap(stops[each], stops[right])
                if run and max(low, at_least) > min(high, at_most):
                    break
                low, high, run = max(low, at_least), min(high, at_most), run + 1
            together, ahead = ahead[:run], ahead[run:]
            wish = _middle(stops, together)
            for each in together:
                stops[each].x = min(max(wish, low), high)


def _middle(stops: list[_Stop], together: list[int]) -> float:
    """Where stops moved together belong: a link between its two ends, boxes among themselves."""
    boxes = [each for each in together if stops[each].real]
    ends = boxes or [*stops[together[0]].above, *stops[together[-1]].below]
    return sum(stops[each].x for each in ends) / len(ends)


def _spines(count: int, chains: list[list[int]]) -> list[list[int]]:
    """Ways down along the first link of every box, each box in one of them: they look best straight."""
    first: dict[int, list[int]] = {}
    for chain in chains:
        if chain:
            first.setdefault(chain[0], chain)
    taken: set[int] = set()
    spines = []
    for root in range(count):
        spine = [] if root in taken else [root]
        taken.add(root)
        while spine and spine[-1] in first and first[spine[-1]][-1] not in taken:
            spine += first[spine[-1]][1:]
            taken.add(spine[-1])
        if len(spine) > 1:
            spines.append(spine)
    return spines


def _move_to_the_edge(stops: list[_Stop]) -> None:
    left = min((stop.x - stop.width / 2 for stop in stops), default=0.0)
    for stop in stops:
        stop.x -= left


def _gap(left: _Stop, right: _Stop) -> float:
    """How far apart the centres of two neighbours stand at least."""
    return (left.width + right.width) / 2 + (_BESIDE if left.real and right.real else _CLOSE)


def _wish(stops: list[_Stop], number: int) -> tuple[float, float]:
    """Where a stop wants to stand, and how much: at the weighted mean of its neighbours."""
    stop = stops[number]
    total, pull = 0.0, 0.0
    for other in (stops[each] for each in (*stop.above, *stop.below)):
        weight = _STEADY[(not stop.real) + (not other.real)]
        total += weight
        pull += weight * other.x
    return (pull / total, total) if total else (stop.x, 0.01)


def _spread(wished: list[tuple[float, float]], gaps: list[float]) -> list[float]:
    """The places nearest to the wishes (least squares) that keep the order and the gaps.

    Without the gaps this is isotonic regression, solved by pooling neighbours that violate the order.
    """
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for (x, weight), offset in zip(wished, offsets, strict=False):
        pool = (x - offset, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, heavy, members = pools.pop()
            both = heavy + pool[1]
            pool = ((mean * heavy + pool[0] * pool[1]) / both, both, members + pool[2])
        pools.append(pool)
    means = [mean for mean, _, members in pools for _ in range(members)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]


def _bands(stops: list[_Stop], rows: list[list[int]]) -> list[tuple[float, float]]:
    """The top and bottom of every rank: more room where links go far across."""
    bands: list[tuple[float, float]] = []
    top = 0.0
    for row in rows:
        height = max((stops[each].height for each in row), default=0.0)
        bands.append((top, top + height))
        far = max(
            (abs(stops[low].x - stops[each].x) for each in row for low in stops[each].below), default=0.0
        )
        top += height + _BETWEEN + min(44.0, far * 0.07)
    return bands


def _finished(
    stops: list[_Stop],
    boxes: int,
    links: Sequence[Link],
    turned: list[bool],
    chains: list[list[int]],
    bands: list[tuple[float, float]],
) -> Layout:
    leaving = _ports(stops, chains, 0, 1)
    arriving = _ports(stops, chains, -1, -2)
    routes: list[tuple[Point, ...]] = []
    labels: list[Point | None] = []
    for number, (link, back, chain) in enumerate(zip(links, turned, chains, strict=True)):
        if not chain:
            routes.append(())
            labels.append(None)
            continue
        points = _route(stops, chain, leaving[number], arriving[number], bands)
        routes.append(tuple(reversed(points)) if back else points)
        named = stops[chain[-2] if back else chain[1]]
        labels.append(Point(named.x, sum(bands[named.rank]) / 2) if link.height else None)
    return Layout(
        width=max((stop.x + stop.width / 2 for stop in stops), default=0.0),
        height=bands[-1][1] if bands else 0.0,
        boxes=tuple(Point(stop.x, sum(bands[stop.rank]) / 2) for stop in stops[:boxes]),
        routes=tuple(routes),
        labels=tuple(labels),
    )


def _ports(stops: list[_Stop], chains: list[list[int]], end: int, beside: int) -> dict[int, float]:
    """Where each link touches its box: straight above or below its next stop if the box is that wide."""
    at: dict[int, list[int]] = {}
    for number, chain in enumerate(chains):
        if chain:
            at.setdefault(chain[end], []).append(number)
    ports: dict[int, float] = {}
    for box, numbers in at.items():
        numbers.sort(key=lambda number: (stops[chains[number][beside]].x, number))
        reach = stops[box].width * 0.34
        step = min(16.0, 2 * reach / len(numbers))
        low, high = stops[box].x - reach, stops[box].x + reach
        wished = [(min(max(stops[chains[number][beside]].x, low), high), 1.0) for number in numbers]
        spread = _spread(wished, [step] * (len(numbers) - 1))
        last = len(numbers) - 1
        for place, (number, x) in enumerate(zip(numbers, spread, strict=True)):
            ports[number] = min(max(x, low + place * step), high - (last - place) * step)
    return ports


def _route(
    stops: list[_Stop], chain: list[int], leaving: float, arriving: float, bands: list[tuple[float, float]]
) -> tuple[Point, ...]:
    first, last = stops[chain[0]], stops[chain[-1]]
    middle = sum(bands[first.rank]) / 2
    points = [Point(leaving, middle + first.height / 2), Point(leaving, bands[first.rank][1])]
    for stop in (stops[each] for each in chain[1:-1]):
        points += [Point(stop.x, bands[stop.rank][0]), Point(stop.x, bands[stop.rank][1])]
    middle = sum(bands[last.rank]) / 2
    return (*points, Point(arriving, bands[last.rank][0]), Point(arriving, middle - last.height / 2))
