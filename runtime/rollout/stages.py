"""The stages of a rollout and its state, as it lies in the store.

The state holds every decision: what was decided and why it was is written in one row, at once or not at all.
"""

from typing import Any, Final, Literal

from msgspec import Struct

from runtime.gate.terms import Look, Terms

Stage = Literal["off", "pilot", "10", "25", "50", "100"]
Act = Literal["start", "look", "advance", "hold", "resume", "rollback"]

STAGES: Final[tuple[Stage, ...]] = ("off", "pilot", "10", "25", "50", "100")
PILOT_PERCENT: Final = (5, 10)  # the least and the most of a pilot


class Decision(Struct, frozen=True):
    """One decision. `version`: the version of the rollout it made; `by`: a person's name, `gate` or `guard`;
    `evidence`: the counts it rested on.
    """

    version: int
    at_ms: int
    act: Act
    before: Stage
    after: Stage
    by: str
    reason: str
    evidence: dict[str, Any] = {}


class Rollout(Struct, frozen=True):
    """How far a flow is.

    `since_ms`: when this stage began, whose calls alone speak for it; `guarded_ms`: since when the guards
    count; `held`: why nothing advances, None when it may; `looks`: the gate's looks at this stage; `key`
    decides who is in which share; `artifact`: the version of the flow that all of this is about.
    """

    flow: str
    artifact: str
    key: str
    stage: Stage
    pilot_percent: int
    since_ms: int
    guarded_ms: int
    begun_ms: int
    terms: Terms
    held: str | None = None
    looks: tuple[Look, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def version(self) -> int:
        """Counts the changes: the version of the row it lies in."""
        return self.decisions[-1].version if self.decisions else 0

    @property
    def percent(self) -> int:
        """The share of callers the assistant takes, in percent."""
        match self.stage:
            case "off":
                return 0
            case "pilot":
                return self.pilot_percent
            case _:
                return int(self.stage)

    def __repr__(self) -> str:
        return f"Rollout({self.flow}, version {self.version}, {self.stage})"  # never the key


def next_stage(stage: Stage) -> Stage | None:
    """The stage after this one; None after the last."""
    place = STAGES.index(stage)
    return STAGES[place + 1] if place + 1 < len(STAGES) else None


def stage_before(stage: Stage) -> Stage:
    """The stage a rollback leads to; below the pilot everything goes to people."""
    return STAGES[max(0, STAGES.index(stage) - 1)]
