"""How few last turns reach everything that only last turns reach, and how many there must be at least."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from runtime.simulate.cover.board import Board, Mask, union


def only_last(board: Board) -> Mask:
    """The goals that no step but a last one, or one after it, reaches."""
    reachable = 0
    inner = 0
    for at, steps in enumerate(board.last):
        for step in steps:
            for tail in board.tails(step):
                reachable |= tail
        for step in board.inner[at]:
            inner |= step.mask
    for _, mask, _ in board.roots:
        inner |= mask
    return reachable & ~inner


def every_tail(board: Board, among: Mask) -> set[Mask]:
    """Every set of these goals that some last turn reaches together."""
    return {
        tail & among for steps in board.last for step in steps for tail in board.tails(step) if tail & among
    }


def fewest(tails: Iterable[Mask], among: Mask) -> list[Mask]:
    """Few tails that together reach all of these goals: the largest first, then none that is not needed."""
    heap = [(-tail.bit_count(), tail) for tail in tails]
    heapq.heapify(heap)
    chosen: list[Mask] = []
    left = among
    while left and heap:
        _, tail = heapq.heappop(heap)
        fresh = (tail & left).bit_count()
        if not fresh:
            continue
        if heap and fresh < -heap[0][0]:
            heapq.heappush(heap, (-fresh, tail))
            continue
        chosen.append(tail)
        left &= ~tail
    return _needed(chosen)


def _needed(chosen: list[Mask]) -> list[Mask]:
    """Without the tails whose goals others reach as well."""
    kept = list(chosen)
    for tail in sorted(chosen, key=lambda each: each.bit_count()):
        others = 0
        for other in kept:
            others |= other if other is not tail else 0
        if tail & others == tail:
            kept.remove(tail)
    return kept


def apart(tails: Iterable[Mask], among: Mask) -> int:
    """How many of these goals can be chosen so that no tail reaches two: each needs a call of its own."""
    partners: dict[Mask, Mask] = {}
    for tail in tails:
        rest = tail & among
        while rest:
            bit = rest & -rest
            partners[bit] = partners.get(bit, 0) | tail
            rest ^= bit
    free = dict(partners)
    number = 0
    while free:
        # the goal that rules out the fewest of those still free
        left = union(free)
        bit = min(free, key=lambda each: ((partners[each] & left).bit_count(), each))
        number += 1
        gone = partners[bit]
        free = {each: mask for each, mask in free.items() if not each & gone}
    return number
