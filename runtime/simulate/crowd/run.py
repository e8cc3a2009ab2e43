"""Calls by synthetic callers: made, and judged.

Laws
1. A call is a function of the flow, the kind and its number: the same run gives the same calls, on however
   many processes or machines.
2. A call fails when a law of the house is broken on it (`_findings`), never because of an outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, Final

from msgspec import Struct

from runtime.engine import effects, events
from runtime.simulate.cover.classes import contexts
from runtime.simulate.cover.goals import Goal
from runtime.simulate.cover.seen import Track
from runtime.simulate.crowd.kinds import KINDS
from runtime.simulate.crowd.person import Caller, families
from runtime.simulate.drive.call import DrivenCall, Outside
from runtime.simulate.drive.hearing import Hearing
from runtime.simulate.drive.moves import HangUp, Person
from runtime.simulate.drive.steps import Moment
from voiceflow_compiler.artifact import Artifact

MOST_TURNS: Final = 200
PEOPLE: Final[tuple[Person, ...]] = ("accepts", "accepts", "accepts", "declines", "no_answer")
BAD_FLAGS: Final = frozenset({"undisclosed_path", "argument_missing", "result_refused"})


class Wish(Struct, frozen=True):
    """One call to be made: by which kind, and the seed of its chance."""

    kind: str
    seed: int


class Had(Struct, frozen=True):
    """One call that was made. `findings` are the laws it broke; `moments` is kept only of calls with some."""

    kind: str
    seed: int
    outcome: str
    ends_at: str
    turns: int
    transferred: bool
    findings: tuple[str, ...]
    goals: frozenset[Goal]
    moments: tuple[Moment, ...] = ()


def one(artifact: Artifact, wish: Wish, ears: Hearing, mixes: Sequence[Mapping[str, Any] | None]) -> Had:
    """Make one call."""
    call, chance = answered(artifact, wish, mixes)
    caller = Caller(artifact, KINDS[wish.kind], chance, ears)
    for _ in range(MOST_TURNS):
        call.rest()
        if call.over:
            break
        call.do(caller.turn(call.state))
    call.rest()
    ended = call.over
    if not ended:
        call.do(HangUp())
        call.rest()
    return judged(artifact, wish, call.moments, ended=ended)


def answered(
    artifact: Artifact, wish: Wish, mixes: Sequence[Mapping[str, Any] | None]
) -> tuple[DrivenCall, Random]:
    """A call that was just answered, with what is known of its caller and how the outside behaves on it; and
    the chance its caller goes on with.
    """
    chance = Random(f"{wish.kind}:{wish.seed}")
    facts = chance.choice(mixes) if KINDS[wish.kind].known else None
    office = {name: ({"fails": "down"},) for name in artifact.actions if chance.random() < 0.1}
    return DrivenCall(artifact, facts, Outside(office, (chance.choice(PEOPLE),))), chance


def judged(artifact: Artifact, wish: Wish, moments: Sequence[Moment], *, ended: bool) -> Had:
    """A call that was made, by the steps of its engine. `ended`: it ended by itself."""
    findings = tuple(_findings(artifact, moments, ended=ended))
    last = moments[-1].after
    return Had(
        wish.kind,
        wish.seed,
        last.outcome,
        last.node,
        last.counts.turns,
        any(isinstance(moment.event, events.TransferAccepted) for moment in moments),
        findings,
        frozenset(Track(artifact).follow(moments)),
        tuple(moments) if findings else (),
    )


def _findings(artifact: Artifact, moments: Sequence[Moment], *, ended: bool) -> Iterator[str]:
    """The laws this call broke, in words."""
    if not ended:
        yield f"the call did not end within {MOST_TURNS} turns of the caller"
    wants = set(families(artifact).get("escalation", ()))
    delivered: set[str] = set()
    keys: list[str] = []
    disclosed = False
    for moment in moments:
        before, event = moment.before, moment.event
        disclosed = disclosed or moment.after.disclosed
        if isinstance(event, events.PackageDelivered):
            delivered.add(event.handoff_id)
        for effect in moment.effects:
            match effect:
                case effects.Flag(kind=kind, detail=detail) if kind in BAD_FLAGS:
                    yield f"{kind.replace('_', ' ')}: {detail}"
                case effects.Respond() | effects.RunAction() | effects.Transfer() if not disclosed:
                    yield "something was done before the disclosure was heard"
                case effects.Transfer(mode="warm", handoff_id=handoff) if handoff not in delivered:
                    yield "a warm transfer before its package arrived"
                case effects.RunAction(idempotency_key=key):
                    keys.append(key)
        if before is not None and before.phase == "judging" and _asked(event, wants, artifact):
            yield from (
                ()
                if _brought(artifact, moment)
                else (f"a person was asked for at {before.node} and not brought",)
            )


def _asked(event: events.Event, wants: set[str], artifact: Artifact) -> bool:
    if not isinstance(event, events.TurnReported):
        return False
    told = event.arguments
    return told.get("intent") in wants and told.get("confidence", 0) >= artifact.confidence


def _brought(artifact: Artifact, moment: Moment) -> bool:
    entered = [effect.node for effect in moment.effects if isinstance(effect, effects.EnterNode)]
    speech = moment.after.speech
    ahead = speech.after.node if speech is not None else ""
    people = [name for name in (*entered, ahead) if name and artifact.nodes[name].kind == "handoff"]
    stays = moment.after.node == (moment.before.node if moment.before else "")
    return bool(people) or moment.after.phase == "ended" or (stays and speech is not None)


def some(artifact: Artifact, wishes: Iterable[Wish]) -> Iterator[Had]:
    """Make these calls here, in order."""
    ears, mixes = Hearing(artifact), contexts(artifact)
    for wish in wishes:
        yield one(artifact, wish, ears, mixes)


def wishes_of(kinds: Sequence[str], calls: int, seed: int) -> tuple[Wish, ...]:
    """So many calls, the kinds taking turns."""
    return tuple(Wish(kinds[number % len(kinds)], seed + number) for number in range(calls))
