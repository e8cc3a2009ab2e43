"""A walk through everything that callers and the outside can do to a flow, from rest to rest.

States are told apart by what decides what may happen next; of the whole-call counters only those that a
condition reads. Where the same state is reached again with more patience left, it is walked again.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from runtime.engine.state import State
from runtime.simulate.cover.classes import classes, contexts, read_by_conditions
from runtime.simulate.cover.goals import Goal, excused, goals
from runtime.simulate.cover.seen import Track
from runtime.simulate.drive.moves import (
    UNKNOWN,
    Answered,
    Desk,
    Keys,
    LoseModel,
    Move,
    Office,
    Silence,
    Turn,
)
from runtime.simulate.drive.steps import advance, begin
from voiceflow_compiler.artifact import Artifact

MOST_STATES: Final = 4_000
Facts = Mapping[str, Any] | None
Key = tuple[Any, ...]
ENDED: Final[Key] = ("ended",)


class Way(Struct, frozen=True):
    """A move from one state to another, the goals on it, and the first and the last edge it takes."""

    move: Move
    to: Key
    goals: frozenset[Goal]
    first: Goal | None = None
    last: Goal | None = None


class Root(Struct, frozen=True):
    """How a call may begin: what the CRM holds, where it then rests, and the goals reached by then."""

    facts: dict[str, Any] | None
    to: Key
    goals: frozenset[Goal]
    last: Goal | None = None


class Map(Struct):
    """All that was found. `whole`: every state was walked, so what is not in it no call reaches."""

    roots: list[Root]
    ways: dict[Key, list[Way]]
    wanted: tuple[Goal, ...]
    reached: set[Goal]
    whole: bool


class Reader:
    """What conditions of a flow read, so that states can be told apart."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self.slots = read_by_conditions(artifact, "slots")
        self.facts = tuple(read_by_conditions(artifact, "facts"))
        self.results = bool(read_by_conditions(artifact, "results"))
        turn = read_by_conditions(artifact, "turn")
        self.most = {
            name: int(max((each for each in found if isinstance(each, int | float)), default=1)) + 1
            for name, found in turn.items()
        }
        self.sentiment = "sentiment" in turn or "negative_in_a_row" in turn

    def key(self, state: State) -> Key:
        """What tells this state from others."""
        if state.phase == "ended":
            return ENDED
        counts = state.counts
        told = {
            "number": counts.turns,
            "negative_in_a_row": counts.negative,
            "unclear_in_a_row": counts.unclear,
            "silent_in_a_row": counts.silent,
            "no_progress_in_a_row": counts.no_progress,
        }
        return (
            state.phase,
            state.node,
            tuple(
                (name, held.sure, held.value if name in self.slots else None)
                for name, held in sorted(state.slots.items())
            ),
            tuple(state.facts.get(name) for name in self.facts),
            tuple(min(told.get(name, 0), most) for name, most in self.most.items()),
            (state.visit.no_match, state.visit.no_input, tuple(sorted(state.visit.stays.items()))),
            (state.confirming, state.recheck, state.digits, state.model, state.lost_taken, state.limited),
            state.handoff,
            tuple(sorted(state.results)) if self.results else (),
        )


class _Agenda:
    """States to walk on from: first those that came with something new, then plain ones at nodes that were
    walked little. A visit of many kinds of turns is looked at last.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Key, State]] = []
        self._serial = 0
        self._walked: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, key: Key, state: State, *, new: bool) -> None:
        visit = state.visit
        kinds = len(visit.stays) + (visit.no_match > 0) + (visit.no_input > 0)
        score = self._walked[state.node] + MIXED * kinds - (NEW if new else 0)
        self._serial += 1
        heapq.heappush(self._heap, (score, self._serial, key, state))

    def take(self) -> tuple[Key, State]:
        _, _, key, state = heapq.heappop(self._heap)
        self._walked[state.node] += 1
        return key, state


MIXED: Final = 20  # how much each further kind of turn puts a visit off
NEW: Final = 1_000


def explore(artifact: Artifact, *, most: int = MOST_STATES) -> Map:
    """Walk the flow until every goal was met or there is nothing new, at most so many states."""
    reader = Reader(artifact)
    wanted = goals(artifact)
    found = Map([], {}, wanted, set(), whole=False)
    agenda = _Agenda()
    best: dict[Key, int] = {}
    for facts in contexts(artifact):
        _root(artifact, reader, facts, found, agenda)
    missing = {goal for goal in wanted if not excused(artifact, goal)} - found.reached
    while agenda and len(found.ways) < most and missing:
        key, state = agenda.take()
        if best.get(key, 1 << 30) <= state.counts.no_progress:
            continue
        best[key] = state.counts.no_progress
        found.ways[key] = ways = []
        for move in moves(artifact, reader, state, lost=("lost",) in missing):
            way, after = _way(artifact, reader, state, move)
            ways.append(way)
            new = not way.goals <= found.reached
            found.reached |= way.goals
            missing -= way.goals
            if after.phase != "ended" and best.get(way.to, 1 << 30) > after.counts.no_progress:
                agenda.add(way.to, after, new=new)
    found.whole = not agenda
    return found


def _way(artifact: Artifact, reader: Reader, state: State, move: Move) -> tuple[Way, State]:
    track = Track(artifact)
    done = advance(artifact, state, move)
    met = track.follow(done)
    after = done[-1].after
    first = next((goal for goal in met if goal[0] == "edge"), None)
    return Way(move, reader.key(after), frozenset(met), first, track.last), after


def _root(artifact: Artifact, reader: Reader, facts: Facts, found: Map, agenda: _Agenda) -> None:
    steps = begin(artifact, facts)
    steps.settle()
    track = Track(artifact)
    met = frozenset(track.follow(steps.moments))
    key = reader.key(steps.state)
    new = not met <= found.reached
    found.reached |= met
    found.roots.append(Root(None if facts is None else dict(facts), key, met, track.last))
    agenda.add(key, steps.state, new=new)


# ---- what can be done at a rest


def moves(artifact: Artifact, reader: Reader, state: State, *, lost: bool) -> Iterator[Move]:
    """Every move that can matter at this rest."""
    match state.phase:
        case "listening":
            yield from _caller(artifact, reader, state)
            if lost:
                yield LoseModel()
        case "acting":
            yield Office()
            yield Office(fails="down")
            if artifact.nodes[state.node].on_unknown is not None:
                yield Office(fails=UNKNOWN)
        case "delivering":
            yield Desk()
        case "transferring":
            yield Answered("accepts")
            yield Answered("no_answer")
        case "starting":
            yield Silence()


def _caller(artifact: Artifact, reader: Reader, state: State) -> Iterator[Move]:
    node = artifact.nodes[state.node]
    keypad = next(
        (name for name in node.collect if artifact.slots[name].by_keypad and name not in state.slots), ""
    )
    for name in node.collect:
        held = state.slots.get(name)
        if held is None or not held.sure:
            yield from _values(artifact, name)
    if state.confirming:
        yield Turn("agreement")
        if "denial" in artifact.intents:
            yield Turn("denial")
    for intent in node.answers:
        yield Turn(intent)
    if "unclear" not in node.answers:
        yield Turn("unclear", confidence=0.2)
    if reader.sentiment:
        yield Turn("unclear", confidence=0.2, sentiment="negative")
    yield Silence()
    if keypad:
        yield Keys(str(classes(artifact, keypad)[0].value))
    else:
        yield from (Keys(key) for key in node.keys)


def _values(artifact: Artifact, name: str) -> Iterator[Move]:
    slot = artifact.slots[name]
    if slot.by_keypad or slot.secret:
        return
    intent = "answer" if "answer" in artifact.intents else "agreement"
    for each in classes(artifact, name):
        yield Turn(intent, slots={name: each.value})
