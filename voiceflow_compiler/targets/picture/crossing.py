"""The order of the stops within each rank, with few crossings."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

_SWEEPS: Final = 24


def order_ranks(ranks: Sequence[int], below: Sequence[Sequence[int]]) -> list[list[int]]:
    """The stops of every rank from left to right.

    `ranks` is the rank of each stop; `below` the stops of the next rank that each is linked to.
    """
    above: list[list[int]] = [[] for _ in ranks]
    for upper, lowers in enumerate(below):
        for lower in lowers:
            above[lower].append(upper)
    rows = _first_order(ranks, below)
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(max(2, min(_SWEEPS, 200_000 // (len(ranks) + 1)))):
        if fewest == 0:
            break
        _sweep(rows, above if sweep % 2 == 0 else below, down=sweep % 2 == 0)
        _swap_neighbours(rows, above, below)
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _first_order(ranks: Sequence[int], below: Sequence[Sequence[int]]) -> list[list[int]]:
    """Every rank in the order of a walk in depth from the top, which keeps branches together."""
    rows: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    met: set[int] = set()
    for root in sorted(range(len(ranks)), key=lambda number: (ranks[number], number)):
        walk = [root]
        while walk:
            here = walk.pop()
            if here not in met:
                met.add(here)
                rows[ranks[here]].append(here)
                walk += reversed(below[here])
    return rows


def _sweep(rows: list[list[int]], links: Sequence[Sequence[int]], *, down: bool) -> None:
    """Sort each rank by the middle of its neighbours in the rank before; what has none keeps its place."""
    numbers = range(1, len(rows)) if down else range(len(rows) - 2, -1, -1)
    for number in numbers:
        before = {each: place for place, each in enumerate(rows[number - 1 if down else number + 1])}
        wish = {}
        for place, each in enumerate(rows[number]):
            places = [before[other] for other in links[each]]
            wish[each] = sum(places) / len(places) if places else float(place)
        rows[number].sort(key=wish.__getitem__)


def _swap_neighbours(
    rows: list[list[int]], above: Sequence[Sequence[int]], below: Sequence[Sequence[int]]
) -> None:
    """Exchange neighbours as long as that saves a crossing."""
    place = {each: at for row in rows for at, each in enumerate(row)}
    for row in rows:
        for _ in range(4):
            saved = False
            for at in range(len(row) - 1):
                left, right = row[at], row[at + 1]
                now = _between(above, place, left, right) + _between(below, place, left, right)
                then = _between(above, place, right, left) + _between(below, place, right, left)
                if then < now:
                    row[at], row[at + 1] = right, left
                    place[left], place[right] = at + 1, at
                    saved = True
            if not saved:
                break


def _between(links: Sequence[Sequence[int]], place: dict[int, int], left: int, right: int) -> int:
    """Crossings between the links of two neighbours standing in this order."""
    return sum(place[one] > place[other] for one in links[left] for other in links[right])


def _crossings(rows: list[list[int]], below: Sequence[Sequence[int]]) -> int:
    """How often links cross, counted as inversions between every two ranks."""
    total = 0
    for upper, lower in pairwise(rows):
        place = {each: at for at, each in enumerate(lower)}
        ends = [end for each in upper for end in sorted(place[other] for other in below[each])]
        total += _inversions(ends, len(lower))
    return total


def _inversions(ends: list[int], size: int) -> int:
    """Pairs out of order, with a Fenwick tree over the places."""
    tree = [0] * (size + 1)
    total = 0
    for seen, end in enumerate(ends):
        at, before = end + 1, 0
        while at > 0:
            before += tree[at]
            at -= at & -at
        total += seen - before
        at = end + 1
        while at <= size:
            tree[at] += 1
            at += at & -at
    return total
