"""Where a new design would part from a call that happened, and whether it would be better for the caller.

Better is told by what callers mind: that the call comes to an outcome and not to nothing, that they are
understood, and that it takes few turns. What is equal is said to be equal.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from runtime.engine import events
from runtime.engine.effects import EnterNode
from runtime.simulate.again import Had, play
from runtime.simulate.drive.steps import Moment
from voiceflow_compiler.artifact import Artifact

NOTHING: Final = ("", "abandoned", "limit_reached", "model_lost", "no_answer", "disclosure_not_heard")


class Went(Struct, frozen=True):
    """How a call went: its way, its outcome, and what the caller had to bear."""

    nodes: tuple[str, ...]
    outcome: str
    turns: int
    not_understood: int
    silences: int

    @property
    def came_to_something(self) -> bool:
        return self.outcome not in NOTHING


class Parting(Struct, frozen=True):
    """`at` counts the nodes both ways share; `better` is better, worse or equal, `why` in plain words."""

    before: Went
    after: Went
    at: int
    better: str
    why: tuple[str, ...]
    unheard: int

    @property
    def same(self) -> bool:
        return self.before.nodes == self.after.nodes and self.before.outcome == self.after.outcome


def part(artifact: Artifact, call: Had) -> Parting:
    """The same caller with this design, held against the call that happened."""
    driven = play(artifact, call)
    before, after = went(call.moments), went(driven.moments)
    shared = 0
    while shared < min(len(before.nodes), len(after.nodes)) and before.nodes[shared] == after.nodes[shared]:
        shared += 1
    unheard = len(call.moves) - (len(driven.segments) - 1)
    points = _points(before, after)
    total = sum(point for point, _ in points)
    better = "better" if total > 0 else "worse" if total < 0 else "equal"
    return Parting(before, after, shared, better, tuple(why for _, why in points), max(unheard, 0))


def went(moments: tuple[Moment, ...]) -> Went:
    """How these steps of a call went."""
    last = moments[-1].after
    nodes = tuple(
        effect.node for moment in moments for effect in moment.effects if isinstance(effect, EnterNode)
    )
    unclear = sum(
        moment.after.heard.family == "unclear"
        and moment.before is not None
        and moment.after.counts.turns > moment.before.counts.turns
        for moment in moments
    )
    silences = sum(
        isinstance(moment.event, events.TimerFired) and moment.event.timer == "no_input" for moment in moments
    )
    return Went(nodes, last.outcome, last.counts.turns, unclear, silences)


def _points(before: Went, after: Went) -> list[tuple[int, str]]:
    """What speaks for (plus) and against (minus) the new design, weightiest first."""
    found: list[tuple[int, str]] = []
    if before.came_to_something != after.came_to_something:
        found.append(
            (
                8 if after.came_to_something else -8,
                f"it ends with {after.outcome or 'nothing'} instead of {before.outcome or 'nothing'}",
            )
        )
    elif before.outcome != after.outcome:
        found.append(
            (
                0,
                f"it ends with {after.outcome} instead of {before.outcome}, which only people can weigh",
            )
        )
    for weight, name, was, now in (
        (2, "turns not understood", before.not_understood, after.not_understood),
        (1, "silences", before.silences, after.silences),
        (1, "turns", before.turns, after.turns),
    ):
        if was != now:
            found.append((weight if now < was else -weight, f"{now} {name} instead of {was}"))
    return found


def as_text(parting: Parting) -> str:
    """For a person."""
    if parting.same:
        return "the new design takes the same way to the same end\n"
    before, after = parting.before, parting.after
    shared = before.nodes[: parting.at]
    lines = [f"the two part after {' → '.join(shared) or 'the very beginning'}"]
    lines.append(f"  it went:   {_rest(before, parting.at)}")
    lines.append(f"  it would:  {_rest(after, parting.at)}")
    lines.append(f"for the caller: {parting.better}")
    lines += (f"  {why}" for why in parting.why)
    if parting.unheard:
        lines.append(f"  the last {parting.unheard} turns of the caller were not needed any more")
    return "\n".join(lines) + "\n"


def _rest(way: Went, at: int) -> str:
    return f"{' → '.join(way.nodes[at:]) or '(ended)'}: {way.outcome or 'no outcome'}"


def as_json(parting: Parting) -> dict[str, Any]:
    """The same as plain data, version 1."""
    return {
        "version": 1,
        "same": parting.same,
        "shared": list(parting.before.nodes[: parting.at]),
        "went": list(parting.before.nodes[parting.at :]),
        "would": list(parting.after.nodes[parting.at :]),
        "outcome_was": parting.before.outcome or None,
        "outcome_would_be": parting.after.outcome or None,
        "for_the_caller": parting.better,
        "why": list(parting.why),
    }
