"""What no plan came to: looked for state by state, every counter counted, until it is found or cannot be.

States are tried that may still lead to a goal by the chart. A counter that opens a way to a goal tells
states apart; of every other the less is counted the better, so that a state is dropped where another has
less of all.
When nothing is left to try, no call reaches the goal.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from operator import le
from typing import Any, Final

from msgspec import Struct

from runtime.engine.state import State
from runtime.simulate.cover.ahead import Key, Reader, comparisons
from runtime.simulate.cover.board import Board, Mask, spread
from runtime.simulate.cover.chart import Chart, Way
from runtime.simulate.cover.choices import TOLD, Counter, counted
from runtime.simulate.cover.classes import expressions, names, read_by_conditions
from runtime.simulate.cover.goals import edges, pair
from runtime.simulate.cover.seen import Track
from runtime.simulate.drive.moves import Move
from runtime.simulate.drive.steps import advance, begin
from voiceflow_compiler.artifact import Artifact

MOST_STATES: Final = 20_000


class Found(Struct, frozen=True):
    """A call that reaches goals nobody had reached: its facts and its moves."""

    facts: dict[str, Any] | None
    moves: tuple[Move, ...]
    goals: Mask


class Search:
    """A search for some goals. `whole` once nothing is left to try: what was not found no call reaches."""

    def __init__(
        self, artifact: Artifact, reader: Reader, chart: Chart, board: Board, wanted: Mask, never: Mask
    ) -> None:
        self.artifact = artifact
        self.wanted = wanted
        self.whole = False
        self._reader = reader
        self._chart = chart
        self._board = board
        self._ahead = _everything_ahead(board, never)
        self._loops = _in_loops(artifact)
        self._read = _read(artifact)
        self._exact = _exact(artifact)
        self._opening: dict[int | Key, frozenset[Counter]] = {}
        self._best: dict[Any, list[tuple[int, ...]]] = {}
        self._moves: dict[Key, list[Move]] = {}
        self._serial = count()
        self._heap: list[Any] = []

    def run(self, most: int = MOST_STATES) -> Iterator[Found]:
        """Calls that reach the goals; `wanted` may be made less meanwhile."""
        for _, _, root in self._board.roots:
            steps = begin(self.artifact, root.facts)
            steps.settle()
            track = Track(self.artifact)
            track.follow(steps.moments)
            self._add(steps.state, track, root.facts, ())
        tried = 0
        while self._heap and self.wanted and tried < most:
            _, _, state, last, facts, moves = heapq.heappop(self._heap)
            tried += 1
            for move in self._at(self._reader.key(state)):
                track = Track(self.artifact, last)
                done = advance(self.artifact, state, move)
                met = self._board.mask(track.follow(done)) & self.wanted
                if met:
                    yield Found(facts, (*moves, move), met)
                self._add(done[-1].after, track, facts, (*moves, move))
        self.whole = not self._heap

    def _at(self, key: Key) -> Sequence[Move]:
        if key not in self._moves:
            ways = self._chart.ways.get(key, ())
            self._moves[key] = list({repr(way.done.move): way.done.move for way in ways}.values())
        return self._moves[key]

    def _add(self, state: State, track: Track, facts: Any, moves: tuple[Move, ...]) -> None:
        if state.phase == "ended":
            return
        key = self._reader.key(state)
        at = self._board.index.get((key, track.last if self._board.pairs else None))
        if at is not None and not self._ahead[at] & self.wanted:
            return
        opening = self._opens(at, key)
        counters = [*_of_visit(self._chart, key, self._read), *(("visits", name) for name in self._loops)]
        told = [(each, self._count(state, each)) for each in counters]
        whole = (key, track.last if self._board.pairs else None, *(one for one in told if one[0] in opening))
        spent = (
            state.counts.turns,
            state.counts.no_progress,
            *(number for each, number in told if each not in opening),
        )
        known = self._best.setdefault(whole, [])
        if any(all(map(le, other, spent)) for other in known):
            return
        known[:] = [other for other in known if not all(map(le, spent, other))]
        known.append(spent)
        heapq.heappush(self._heap, (len(moves), next(self._serial), state, track.last, facts, moves))

    def _opens(self, at: int | None, key: Key) -> frozenset[Counter]:
        """The counters that open a way to a goal from here; all of them where the board does not know."""
        place = key if at is None else at
        if place not in self._opening:
            found = set(self._exact)
            for way in self._chart.ways.get(key, ()):
                if way.done.counter is not None and (at is None or self._leads(at, way)):
                    found.add(way.done.counter)
            self._opening[place] = frozenset(found)
        return self._opening[place]

    def _leads(self, at: int, way: Way) -> bool:
        board = self._board
        last = board.places[at][1]
        to = board.index.get((way.to, (way.last or last) if board.pairs else None))
        mask = board.mask(way.goals)
        if board.pairs and last is not None and way.first is not None:
            mask |= board.mask([pair(last, way.first)])
        return to is None or bool((mask | self._ahead[to]) & self.wanted)

    def _count(self, state: State, counter: Counter) -> int:
        if counter[0] == "visits":
            return state.visits.get(counter[1], 0)
        most = self._read.get(counter[1], 1 << 30) if counter[0] == "counts" else 1 << 30
        return min(counted(state, counter), most)


def _of_visit(chart: Chart, key: Key, read: Mapping[str, int]) -> list[Counter]:
    """The counters that matter at a place: those of its ways, and those of the call that conditions read."""
    ways = chart.ways.get(key, ())
    own = {
        way.done.counter for way in ways if way.done.counter is not None and way.done.counter[0] != "counts"
    }
    return [*sorted(own), *(("counts", name) for name in read)]


def _exact(artifact: Artifact) -> frozenset[Counter]:
    """The counters of the call that some condition does not merely bound from below."""
    found: set[Counter] = set()
    for expr in expressions(artifact):
        for part in comparisons(expr):
            if part[0] not in (">=", ">"):
                found |= {
                    ("counts", TOLD[name][0])
                    for space, name in names(part)
                    if space == "turn" and name in TOLD
                }
    return frozenset(found)


def _everything_ahead(board: Board, never: Mask) -> list[Mask]:
    """Every goal that steps from a place on can reach, but those only to be had with one that never is."""
    own = [0] * len(board.places)
    before: list[set[int]] = [set() for _ in board.places]
    for at, steps in enumerate(board.steps):
        for step in steps:
            if not step.mask & never:
                own[at] |= step.mask
                before[step.to].add(at)
    return spread(own, before)


def _read(artifact: Artifact) -> dict[str, int]:
    """The counters of the call that conditions read, each up to where it makes a difference."""
    found = {}
    for name, literals in read_by_conditions(artifact, "turn").items():
        if name in TOLD:
            most = max((each for each in literals if isinstance(each, int | float)), default=1)
            found[TOLD[name][0]] = int(most) + 1
    return found


def _in_loops(artifact: Artifact) -> tuple[str, ...]:
    """The nodes that a call can come to twice: there visits are counted."""
    after = {name: {go for *_, go in edges(artifact, name, node)} for name, node in artifact.nodes.items()}

    def returns(name: str) -> bool:
        seen: set[str] = set()
        todo = list(after[name])
        while todo:
            one = todo.pop()
            if one == name:
                return True
            if one not in seen:
                seen.add(one)
                todo += after.get(one, ())
        return False

    return tuple(name for name in artifact.nodes if returns(name))
