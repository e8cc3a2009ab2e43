"""Goals that the bounds of a call put out of reach, told without trying every call.

1. A goal that takes more turns than a call may have, on the shortest way of the chart.
2. A goal that hangs on a counter of one visit, where no visit that begins with all patience left gets so far.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from operator import le
from typing import Any, Final

from runtime.engine.state import State
from runtime.simulate.cover.ahead import Key, Reader
from runtime.simulate.cover.board import TURN, Board, Mask, Step
from runtime.simulate.cover.chart import Chart, Way
from runtime.simulate.cover.choices import counted
from runtime.simulate.cover.seen import Track
from runtime.simulate.drive.moves import Move
from runtime.simulate.drive.steps import advance
from voiceflow_compiler.artifact import Artifact

MOST_COUNTS: Final = 2_000
OF_VISIT: Final = ("visit", "stays")


def out_of_reach(artifact: Artifact, reader: Reader, chart: Chart, board: Board, wanted: Mask) -> Mask:
    """Those of the goals that no call reaches within its bounds."""
    found = _too_far(artifact, board, wanted)
    possible: dict[int, bool] = {}
    for bit in _bits(wanted & ~found):
        steps = [(at, step) for at, step in _steps(board) if step.mask & bit]
        if steps and all(_of_one_visit(step.way) for _, step in steps):
            for at, step in steps:
                if id(step.way) not in possible:
                    possible[id(step.way)] = _in_one_visit(artifact, reader, chart, board.key(at), step.way)
            if not any(possible[id(step.way)] for _, step in steps):
                found |= bit
    return found


def _bits(mask: Mask) -> Iterator[Mask]:
    while mask:
        yield mask & -mask
        mask &= mask - 1


def _steps(board: Board) -> Iterator[tuple[int, Step]]:
    for at, steps in enumerate(board.steps):
        yield from ((at, step) for step in steps)


def _of_one_visit(way: Way) -> bool:
    return way.done.counter is not None and way.done.counter[0] in OF_VISIT


def _too_far(artifact: Artifact, board: Board, wanted: Mask) -> Mask:
    """The goals whose shortest way takes more turns than a call has."""
    near = 0
    turns = {at: 0 for at, _, _ in board.roots}
    queue = [(0, at) for at in turns]
    heapq.heapify(queue)
    while queue:
        so_far, at = heapq.heappop(queue)
        if so_far > turns[at]:
            continue
        for step in board.steps[at]:
            total = so_far + _least(step)
            if total > artifact.limits.turns:
                continue
            near |= step.mask
            if total < turns.get(step.to, 1 << 30):
                turns[step.to] = total
                heapq.heappush(queue, (total, step.to))
    for _, mask, _ in board.roots:
        near |= mask
    return wanted & ~near


def _least(step: Step) -> int:
    """The turns a step takes at least: what the whole call counts may have been counted elsewhere."""
    turns = step.cost // TURN
    return turns if step.way.done.counter is None or _of_one_visit(step.way) else min(turns, 1)


def _in_one_visit(artifact: Artifact, reader: Reader, chart: Chart, here: Key, way: Way) -> bool:
    """Whether a way can be gone in a visit that begins with nothing counted."""
    staying = {repr(one.done.move): one.done.move for one in chart.ways[here] if one.to == here}
    moves: list[Move] = [*staying.values()]
    assert way.done.counter is not None
    kept: dict[int, list[tuple[Any, ...]]] = {}
    todo: deque[State] = deque([chart.states[here]])
    tried = 0
    while todo and tried < MOST_COUNTS:
        state = todo.popleft()
        tried += 1
        done = advance(artifact, state, way.done.move)
        if reader.key(done[-1].after) == way.to and way.goals <= set(Track(artifact).follow(done)):
            return True
        for move in moves:
            after = advance(artifact, state, move)[-1].after
            if reader.key(after) != here:
                continue
            spent = _spent(after, moves)
            known = kept.setdefault(counted(after, way.done.counter), [])
            if not any(all(map(le, other, spent)) for other in known):
                known.append(spent)
                todo.append(after)
    return bool(todo)


def _spent(state: State, moves: list[Move]) -> tuple[int, ...]:
    """What was counted, of which less is better."""
    visit, counts = state.visit, state.counts
    stays = (visit.stays.get(getattr(move, "intent", ""), 0) for move in moves)
    return (
        counts.turns,
        counts.no_progress,
        counts.unclear,
        counts.negative,
        visit.no_match,
        visit.no_input,
        *stays,
    )
