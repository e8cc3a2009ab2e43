"""A call being made for a suite: where it stands on the board and by the engine, which has the last word."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final

from runtime.engine.state import State
from runtime.simulate.cover.ahead import Key, Reader
from runtime.simulate.cover.chart import Way
from runtime.simulate.cover.choices import counted
from runtime.simulate.cover.goals import WITH, Goal
from runtime.simulate.cover.seen import Track
from runtime.simulate.drive.moves import Answered, Desk, Move, Office, Silence
from runtime.simulate.drive.steps import Moment, advance, begin
from voiceflow_compiler.artifact import Artifact

MOST_AFTER: Final = 40  # moves to bring a call to its end
MOST_COUNTS: Final = 400  # states of the counters of one visit that are looked at
MOST_PREPARED: Final = 8
_QUIET: Final[dict[str, Move]] = {
    "acting": Office(),
    "delivering": Desk(),
    "transferring": Answered("accepts"),
}


class LiveCall:
    """One call. `met` are the goals it reached; `blocked` the ways that its bounds do not let it go.
    `vain`, shared by the calls of a suite, remembers what was tried and led nowhere.
    """

    def __init__(
        self, artifact: Artifact, reader: Reader, facts: dict[str, Any] | None, vain: set[Any]
    ) -> None:
        steps = begin(artifact, facts)
        steps.settle()
        self.artifact = artifact
        self.facts = facts
        self.track = Track(artifact)
        self.met: set[Goal] = set(self.track.follow(steps.moments))
        self.state: State = steps.state
        self.moves: list[Move] = []
        self.steps: list[tuple[Moment, ...]] = [tuple(steps.moments)]
        self.blocked: set[int] = set()  # ways by identity: a move may hold what cannot be hashed
        self._reader = reader
        self._vain = vain

    @property
    def key(self) -> Key:
        return self._reader.key(self.state)

    @property
    def over(self) -> bool:
        return self.state.phase == "ended"

    def go(self, way: Way, staying: Sequence[Move]) -> bool:
        """Go this way as the chart has it; False, and nothing done, where this call cannot. `staying` are
        moves that leave a call at this place: what they count may have to be counted first.
        """
        moves = self._repeated(way) or self._prepared(way, staying)
        if moves is None:
            self.blocked.add(id(way))
            return False
        for move in moves:
            self.do(move)
        return True

    def _repeated(self, way: Way) -> list[Move] | None:
        """The way's own move, as often as its counter asks for."""
        counter, due = way.done.counter, way.done.at
        times = 0 if counter is None else due - counted(self.state, counter)
        if times < 0:
            return None
        moves = [way.done.builds or way.done.move] * times + [way.done.move]
        state = self.state
        for move in moves[:-1]:
            state = self._after(state, move)
            if self._reader.key(state) != self.key:
                return None
        return moves if self._leads(state, way) else None

    def _prepared(self, way: Way, staying: Sequence[Move]) -> list[Move] | None:
        """Few moves at this place after which the way is open: its own counter first, others to get there."""
        here, tried = self.key, (id(way), _counts(self.state))
        if tried in self._vain:
            return None
        serial = count()
        todo: list[tuple[int, int, State, list[Move]]] = [(0, 0, self.state, [])]
        seen = {_counts(self.state)}
        while todo and len(seen) < MOST_COUNTS:
            _, _, state, moves = heappop(todo)
            for move in staying:
                after = self._after(state, move)
                told = _counts(after)
                if told in seen or self._reader.key(after) != here:
                    continue
                seen.add(told)
                done = [*moves, move]
                if self._leads(after, way):
                    return [*done, way.done.move]
                if len(done) < MOST_PREPARED:
                    heappush(todo, (len(done) + 2 * _due(after, way), next(serial), after, done))
        self._vain.add(tried)
        return None

    def _after(self, state: State, move: Move) -> State:
        return advance(self.artifact, state, move)[-1].after

    def _leads(self, state: State, way: Way) -> bool:
        """Whether the way's move leads from here where the way does, by the same goals; the values that
        decided may be others on the same side.
        """
        done = advance(self.artifact, state, way.done.move)
        after = done[-1].after
        if self._reader.key(after) != way.to:
            return False
        lacking = way.goals.difference(Track(self.artifact, self.track.last).follow(done))
        return all(goal[0] == WITH for goal in lacking)

    def do(self, move: Move) -> None:
        """Make a move."""
        done = advance(self.artifact, self.state, move)
        self.met.update(self.track.follow(done))
        self.state = done[-1].after
        self.moves.append(move)
        self.steps.append(done)

    def end(self) -> None:
        """Let the call end by itself: the caller says nothing any more."""
        for _ in range(MOST_AFTER):
            if self.over:
                return
            self.do(_QUIET.get(self.state.phase, Silence()))


def _counts(state: State) -> tuple[Any, ...]:
    visit, counts = state.visit, state.counts
    return (visit.no_match, visit.no_input, tuple(sorted(visit.stays.items())), counts)


def _due(state: State, way: Way) -> int:
    """How much the counter of a way still lacks."""
    counter = way.done.counter
    return 0 if counter is None else max(way.done.at - counted(state, counter), 0)
