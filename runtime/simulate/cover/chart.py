"""The chart of a flow: the places where its calls may rest, and every way between them.

Laws
1. Counters are no part of a place. A way says at which count it is open (`Try.at`) and what brings a call
   there, so that the chart stays small; whether the bounds of a call let it be gone is seen on the call.
2. The chart has every way that a call may go, and perhaps more: what is not on a whole chart no call reaches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from runtime.engine.state import State
from runtime.simulate.cover.ahead import Key, Reader
from runtime.simulate.cover.choices import Try, calm, stood, tries
from runtime.simulate.cover.classes import contexts
from runtime.simulate.cover.goals import Goal
from runtime.simulate.cover.seen import Track
from runtime.simulate.drive.steps import advance, begin
from voiceflow_compiler.artifact import Artifact

MOST_PLACES: Final = 3_000
Facts = Mapping[str, Any] | None


class Way(Struct, frozen=True):
    """One way: what is done, where it leads, the goals on it, and the first and the last edge it takes.
    `bound`: a bound of the whole call leads there.
    """

    done: Try
    to: Key
    goals: frozenset[Goal]
    first: Goal | None = None
    last: Goal | None = None
    bound: bool = False


class Root(Struct, frozen=True):
    """How a call may begin: what the CRM holds, where it then rests, and the goals reached by then."""

    facts: dict[str, Any] | None
    to: Key
    goals: frozenset[Goal]
    last: Goal | None = None


class Chart(Struct):
    """All places by key with the ways out of each, and a state with nothing counted that stands for each.
    `whole`: every place was looked at.
    """

    roots: list[Root]
    ways: dict[Key, list[Way]]
    reached: set[Goal]
    whole: bool
    states: dict[Key, State]


def draw(artifact: Artifact, reader: Reader, *, wide: bool = False, most: int = MOST_PLACES) -> Chart:
    """The chart of a flow, at most so many places. `wide`: callers also say what nobody asked for here."""
    found = Chart([], {}, set(), whole=False, states={})
    todo: deque[tuple[Key, State]] = deque()
    for facts in sorted(contexts(artifact), key=lambda each: _beyond(reader, each)):
        _root(artifact, reader, facts, found, todo)
    known = {key for key, _ in todo}
    while todo and len(found.ways) < most:
        key, state = todo.popleft()
        if key in found.ways:
            continue
        found.states[key] = state
        ways: dict[tuple[Any, ...], Way] = {}
        for one in tries(artifact, reader, state, wide=wide):
            way, after = _way(artifact, reader, state, one)
            found.reached |= way.goals
            mood = getattr(one.move, "sentiment", "")  # counted, though no goal
            ways.setdefault((way.to, way.goals, way.last, mood), way)
            if after.phase != "ended" and way.to not in known:
                known.add(way.to)
                todo.append((way.to, calm(after)))
        found.ways[key] = list(ways.values())
    found.whole = not todo
    return found


def _beyond(reader: Reader, facts: Facts) -> int:
    """How many values lie beyond the boundaries: those on them are tried first."""
    return sum(not reader.beside(name, value) for name, value in (facts or {}).items())


def _way(artifact: Artifact, reader: Reader, state: State, one: Try) -> tuple[Way, State]:
    track = Track(artifact)
    done = advance(artifact, stood(state, one.counter, one.at), one.move)
    met = track.follow(done)
    after = done[-1].after
    first = next((goal for goal in met if goal[0] == "edge"), None)
    bound = after.limited and not state.limited
    return Way(one, reader.key(after), frozenset(met), first, track.last, bound), after


def _root(
    artifact: Artifact, reader: Reader, facts: Facts, found: Chart, todo: deque[tuple[Key, State]]
) -> None:
    steps = begin(artifact, facts)
    steps.settle()
    track = Track(artifact)
    met = frozenset(track.follow(steps.moments))
    key = reader.key(steps.state)
    if any(root.to == key and met <= root.goals for root in found.roots):
        return
    found.reached |= met
    found.roots.append(Root(None if facts is None else dict(facts), key, met, track.last))
    if steps.state.phase != "ended":
        todo.append((key, calm(steps.state)))
