"""What can be done at a rest of a call, as far as a flow can tell it apart, and the counters it moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from runtime.engine.state import Counts, State, Visit
from runtime.simulate.cover.ahead import Reader
from runtime.simulate.cover.classes import classes, read_by_conditions
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
from voiceflow_compiler.artifact import Artifact, Node

Counter = tuple[str, str]  # of the visit, of the stays of an intent, or of the whole call
NO_MATCH: Final[Counter] = ("visit", "no_match")
NO_INPUT: Final[Counter] = ("visit", "no_input")
UNCLEAR: Final = Turn("unclear", confidence=0.2)
UNHAPPY: Final = Turn("unclear", confidence=0.2, sentiment="negative")
TOLD: Final[
    Mapping[str, tuple[str, Move]]
] = {  # what conditions call a counter of the call, what the state calls it, and what moves it
    "number": ("turns", UNCLEAR),
    "negative_in_a_row": ("negative", UNHAPPY),
    "unclear_in_a_row": ("unclear", UNCLEAR),
    "silent_in_a_row": ("silent", Silence()),
    "no_progress_in_a_row": ("no_progress", UNCLEAR),
}


class Try(Struct, frozen=True):
    """A move made when a counter (None: whatever any says) stands at `at`; `builds` brings it there."""

    move: Move
    counter: Counter | None = None
    at: int = 0
    builds: Move | None = None


def counted(state: State, counter: Counter) -> int:
    """What a counter says."""
    kind, name = counter
    if kind == "stays":
        return state.visit.stays.get(name, 0)
    return int(getattr(state.visit if kind == "visit" else state.counts, name))


def calm(state: State) -> State:
    """The state as if nothing had been counted yet."""
    fresh = Visit(opening_due=state.visit.opening_due)
    return replace(state, counts=Counts(), visits={}, visit=fresh, transcript=())


def stood(state: State, counter: Counter | None, at: int) -> State:
    """A calm state with one counter moved."""
    match counter:
        case None:
            return state
        case ("stays", name):
            return replace(state, visit=replace(state.visit, stays={name: at}))
        case ("visit", name):
            return replace(state, visit=replace(state.visit, **{name: at}))
        case (_, name):
            return replace(state, counts=replace(state.counts, **{name: at}))


def tries(artifact: Artifact, reader: Reader, state: State, *, wide: bool) -> Iterator[Try]:
    """Everything that may make a difference at this rest. `wide`: values nobody asked for here as well."""
    match state.phase:
        case "listening":
            yield from (Try(move) for move in _caller(artifact, reader, state, wide=wide))
            yield from _counted(artifact, artifact.nodes[state.node])
            if state.model == "up":
                yield Try(LoseModel())
            if not state.limited:
                yield Try(Silence(), ("counts", "no_progress"), artifact.limits.no_progress)
        case "acting":
            yield from (Try(Office()), Try(Office(fails="down")))
            if artifact.nodes[state.node].on_unknown is not None:
                yield Try(Office(fails=UNKNOWN))
        case "delivering":
            yield Try(Desk())
        case "transferring":
            yield from (Try(Answered("accepts")), Try(Answered("no_answer")))
        case "starting":
            yield Try(Silence())


def _counted(artifact: Artifact, node: Node) -> Iterator[Try]:
    for intent, answer in node.answers.items():
        if answer.go is None and answer.at_most is not None:
            yield Try(Turn(intent), ("stays", intent), answer.at_most)
    yield from (Try(UNCLEAR, NO_MATCH, step) for step in range(1, len(node.no_match)))
    yield from (Try(Silence(), NO_INPUT, step) for step in range(1, len(node.no_input)))
    for name, literals in read_by_conditions(artifact, "turn").items():
        field, move = TOLD.get(name, ("", UNCLEAR))
        if field:
            marks = {int(each) - 1 for each in literals if isinstance(each, int | float) and each >= 2}
            yield from (Try(move, ("counts", field), mark) for mark in sorted(marks))


def _caller(artifact: Artifact, reader: Reader, state: State, *, wide: bool) -> Iterator[Move]:
    node = artifact.nodes[state.node]
    for name in node.collect:
        held = state.slots.get(name)
        if held is None or not held.sure:
            yield from _values(artifact, reader, name)
    if wide:
        for name in sorted(reader.ahead[state.node].slots):
            if name not in node.collect:
                yield from (move for move in _values(artifact, reader, name) if _fits(artifact, name, move))
    if state.confirming:
        yield Turn("agreement")
        if "denial" in artifact.intents:
            yield Turn("denial")
    yield from (Turn(intent) for intent in node.answers)
    if "unclear" not in node.answers:
        yield UNCLEAR
    turn = read_by_conditions(artifact, "turn")
    if "sentiment" in turn or "negative_in_a_row" in turn:
        yield UNHAPPY
    yield Silence()
    keypad = next(
        (name for name in node.collect if artifact.slots[name].by_keypad and name not in state.slots), ""
    )
    if keypad:
        yield Keys(str(classes(artifact, keypad)[0].value))
    else:
        yield from (Keys(key) for key in node.keys)


def _values(artifact: Artifact, reader: Reader, name: str) -> Iterator[Turn]:
    slot = artifact.slots[name]
    if slot.by_keypad or slot.secret:
        return
    intent = "answer" if "answer" in artifact.intents else "agreement"
    for each in sorted(classes(artifact, name), key=lambda one: not reader.beside(name, one.value)):
        yield Turn(intent, slots={name: each.value})


def _fits(artifact: Artifact, name: str, move: Turn) -> bool:
    given: Any = move.slots[name]
    return any(each.fits and each.value == given for each in classes(artifact, name))
