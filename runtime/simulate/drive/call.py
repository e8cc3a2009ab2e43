"""A call with an outside of its own: what the office and people do is settled beforehand, so that only the
caller's moves are left to choose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from runtime.engine.state import State
from runtime.simulate.drive.moves import Answered, Desk, Move, Office, Person
from runtime.simulate.drive.steps import Moment, Steps, begin
from voiceflow_compiler.artifact import Artifact

MOST_OUTSIDE: Final = 20
TAKES: Final = "takes_ms"
FAILS: Final = "fails"


class Outside(Struct, frozen=True):
    """What actions return (the last result again, once the list is used up) and what people do (likewise)."""

    office: Mapping[str, Sequence[Mapping[str, Any]]] = {}
    people: Sequence[Person] = ("accepts",)


class DrivenCall:
    """One call. `segments` holds the steps since each move; the first are those of the opening."""

    def __init__(
        self,
        artifact: Artifact,
        facts: Mapping[str, Any] | None,
        outside: Outside,
        number: str | None = None,
    ) -> None:
        self.artifact = artifact
        self.outside = outside
        self.segments: list[tuple[Moment, ...]] = []
        self.heard_ms: list[int | None] = []
        self._asked: Counter[str] = Counter()
        self._rung = 0
        self._steps = begin(artifact, facts, number)
        self._kept = 0
        self._open = True

    @property
    def state(self) -> State:
        return self._steps.state

    @property
    def over(self) -> bool:
        return self.state.phase == "ended"

    @property
    def now(self) -> int:
        return self._steps.now

    def rest(self) -> None:
        """Let the opening, or the move before, come to its rest."""
        if self._open:
            self._steps.settle()
            self._serve(self._steps)
            self._close()

    def interrupt(self, after_ms: int) -> None:
        """Let the assistant speak so long only; the next move is made into its speech."""
        if self._open:
            self._steps.interrupt(after_ms)
            self._close()

    def do(self, move: Move) -> None:
        """Make a move. What follows is seen after `rest`."""
        self.rest()
        began = len(self._steps.moments)
        self._open = True
        self._steps.do(move)
        self.heard_ms.append(self._steps.now if len(self._steps.moments) > began else None)

    def _serve(self, steps: Steps) -> None:
        for _ in range(MOST_OUTSIDE):
            move = self._outside(steps.state)
            if move is None:
                return
            steps.do(move)
            steps.settle()

    def _outside(self, state: State) -> Move | None:
        match state.phase:
            case "acting":
                return self._office(state.runs.get(state.run, ""))
            case "delivering":
                return Desk()
            case "transferring":
                people = self.outside.people
                self._rung += 1
                return Answered(people[min(self._rung, len(people)) - 1])
        return None

    def _office(self, action: str) -> Office:
        told = self.outside.office.get(action) or ({},)
        self._asked[action] += 1
        result = dict(told[min(self._asked[action], len(told)) - 1])
        fails, takes = str(result.pop(FAILS, "")), int(result.pop(TAKES, 200))
        returns = self.artifact.actions[action].returns if action in self.artifact.actions else {}
        return Office({name: value for name, value in result.items() if name in returns}, fails, takes)

    def _close(self) -> None:
        self.segments.append(tuple(self._steps.moments[self._kept :]))
        self._kept = len(self._steps.moments)
        self._open = False

    @property
    def moments(self) -> tuple[Moment, ...]:
        """Every step so far."""
        return tuple(self._steps.moments)
