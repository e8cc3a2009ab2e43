"""A recorded call as moves: what the caller did, what the office and people did, so that it can be had again
with another design.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from runtime.engine import events
from runtime.engine.slots import fact_value
from runtime.engine.state import State
from runtime.simulate.cover.classes import classes
from runtime.simulate.drive.call import DrivenCall, Outside
from runtime.simulate.drive.moves import UNKNOWN, HangUp, Keys, LoseModel, Move, Person, Silence, Turn
from runtime.simulate.drive.recorded import moments_of
from runtime.simulate.drive.steps import Moment
from voiceflow_compiler.artifact import Artifact


class Had(Struct, frozen=True):
    """A call that was had: what the CRM held, the caller's moves, and what the outside did."""

    facts: dict[str, Any] | None
    moves: tuple[Move, ...]
    outside: Outside
    moments: tuple[Moment, ...]


def had(artifact: Artifact, lines: Iterable[Mapping[str, Any]]) -> Had:
    """The moves of a record made with this flow; `lines` are those after its header."""
    moments = moments_of(artifact, lines)
    facts: dict[str, Any] | None = None
    moves: list[Move] = []
    office: dict[str, list[dict[str, Any]]] = {}
    people: list[Person] = []
    for moment in moments:
        before, event = moment.before or State(), moment.event
        match event:
            case events.ContextLoaded(facts=told):
                facts = dict(told)
            case events.ActionSucceeded(run_id=run, result=result):
                office.setdefault(before.runs.get(run, ""), []).append(dict(result))
            case events.ActionFailed(run_id=run, reason=reason):
                office.setdefault(before.runs.get(run, ""), []).append({"fails": reason})
            case events.ActionUnknown(run_id=run, final=True):
                office.setdefault(before.runs.get(run, ""), []).append({"fails": UNKNOWN})
            case events.TransferAccepted():
                people.append("accepts")
            case events.TransferRefused():
                people.append("declines")
            case events.TransferUnanswered(reason=reason):
                people.append("busy" if reason == "busy" else "no_answer")
            case _:
                _move(moves, before, moment)
    return Had(facts, tuple(moves), Outside(office, tuple(people) or ("accepts",)), moments)


def _move(moves: list[Move], before: State, moment: Moment) -> None:
    match moment.event:
        case events.TurnReported(turn_id=turn_id) if turn_id and turn_id == before.judging:
            if moment.after.counts.turns > before.counts.turns:
                moves.append(_turn(moment))
        case events.TurnUnreported() if moment.after.counts.turns > before.counts.turns:
            moves.append(Turn("unclear", confidence=0.2))
        case events.DtmfPressed(digit=digit):
            last = moves[-1] if moves else None
            if isinstance(last, Keys) and before.digits:
                moves[-1] = Keys(last.digits + digit)
            else:
                moves.append(Keys(digit))
        case events.TimerFired(timer="no_input") | events.NoInput() if before.phase == "listening":
            moves.append(Silence())
        case events.SessionLost(final=True):
            moves.append(LoseModel())
        case events.CallEnded(reason="caller_hangup") if before.phase != "ended":
            moves.append(HangUp())


def _turn(moment: Moment) -> Turn:
    event = moment.event
    assert isinstance(event, events.TurnReported)
    told = event.arguments
    slots = told.get("slots")
    heard = moment.after.heard
    return Turn(
        str(told.get("intent", heard.intent)),
        {name: each for name, each in slots.items() if each is not None} if isinstance(slots, dict) else {},
        heard.confidence,
        heard.sentiment,
    )


def play(artifact: Artifact, call: Had) -> DrivenCall:
    """The same caller, office and people with this design."""
    driven = DrivenCall(artifact, call.facts, call.outside)
    for move in call.moves:
        driven.rest()
        if driven.over:
            break
        driven.do(_known(artifact, move))
    driven.rest()
    return driven


def _known(artifact: Artifact, move: Move) -> Move:
    """A move as this design can hear it: an intent it does not have is unclear."""
    if isinstance(move, Turn) and move.intent not in artifact.intents:
        return Turn("unclear", move.slots, 0.2, move.sentiment)
    return move


def without_persons(artifact: Artifact, call: Had) -> Had:
    """The same call with made-up values for everything personal or secret."""
    moves = tuple(_plain(artifact, move) for move in call.moves)
    facts = call.facts
    if facts is not None:
        hidden = {name for name, fact in artifact.facts.items() if fact.personal or fact.secret}
        known = {
            name: fact_value(artifact.facts[name], value)
            for name, value in facts.items()
            if name in artifact.facts
        }
        facts = {
            name: artifact.facts[name].otherwise if name in hidden or each is None else each
            for name, each in known.items()
        }
    return Had(facts, moves, call.outside, call.moments)


def _plain(artifact: Artifact, move: Move) -> Move:
    if isinstance(move, Keys) and len(move.digits) > 1:
        return Keys("1234567890"[: len(move.digits)])
    if not isinstance(move, Turn):
        return move
    slots = {}
    for name, value in move.slots.items():
        slot = artifact.slots.get(name)
        if slot is not None:
            fits = [each.value for each in classes(artifact, name) if each.fits]
            slots[name] = fits[0] if (slot.personal or slot.type == "text") and fits else value
    return Turn(move.intent, slots, move.confidence, move.sentiment)
