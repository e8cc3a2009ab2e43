"""Many calls by synthetic callers: made in this process or in several, judged, and counted.

Laws
1. A call is a function of the flow, the kind and its number: the same run gives the same calls, on however
   many processes or machines.
2. A call fails when a law of the house is broken on it (`_findings`), never because of an outcome.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
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
from voiceflow_compiler.artifact import Artifact, decode, encode

MOST_TURNS: Final = 200
CHUNK: Final = 200
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
    chance = Random(f"{wish.kind}:{wish.seed}")
    kind = KINDS[wish.kind]
    facts = chance.choice(mixes) if kind.known else None
    office = {name: ({"fails": "down"},) for name in artifact.actions if chance.random() < 0.1}
    call = DrivenCall(artifact, facts, Outside(office, (chance.choice(PEOPLE),)))
    caller = Caller(artifact, kind, chance, ears)
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
    moments = call.moments
    findings = tuple(_findings(artifact, moments, ended=ended))
    return Had(
        wish.kind,
        wish.seed,
        call.state.outcome,
        call.state.node,
        call.state.counts.turns,
        any(isinstance(moment.event, events.TransferAccepted) for moment in moments),
        findings,
        frozenset(Track(artifact).follow(moments)),
        moments if findings else (),
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


def crowd(
    artifact: Artifact, wishes: Sequence[Wish], processes: int = 1, engine: str = "local"
) -> Iterator[Had]:
    """Make these calls, in order."""
    chunks = [wishes[at : at + CHUNK] for at in range(0, len(wishes), CHUNK)]
    if engine == "ray":
        yield from _on_ray(artifact, chunks)
    elif processes <= 1:
        yield from _some(artifact, wishes)
    else:
        with ProcessPoolExecutor(processes, initializer=_open, initargs=(encode(artifact),)) as pool:
            for done in pool.map(_chunk, chunks):
                yield from done


def _some(artifact: Artifact, wishes: Sequence[Wish]) -> Iterator[Had]:
    ears, mixes = Hearing(artifact), contexts(artifact)
    for wish in wishes:
        yield one(artifact, wish, ears, mixes)


_KEPT: list[bytes] = []


def _open(kept: bytes) -> None:
    _KEPT[:] = [kept]


@lru_cache(maxsize=1)
def _world() -> tuple[Artifact, Hearing, tuple[Mapping[str, Any] | None, ...]]:
    artifact = decode(_KEPT[0])
    return artifact, Hearing(artifact), contexts(artifact)


def _chunk(wishes: Sequence[Wish]) -> list[Had]:
    artifact, ears, mixes = _world()
    return [one(artifact, wish, ears, mixes) for wish in wishes]


def _on_ray(artifact: Artifact, chunks: Sequence[Sequence[Wish]]) -> Iterator[Had]:
    """The same on a Ray cluster: the one at RAY_ADDRESS, else a local one. Raises ImportError without Ray."""
    import ray

    ray.init(ignore_reinit_error=True, log_to_driver=False, include_dashboard=False)
    kept = ray.put(encode(artifact))

    def remote(content: bytes, wishes: Sequence[Wish]) -> list[Had]:
        return list(_some(decode(content), wishes))

    task = ray.remote(remote)

    try:
        for waiting in [task.remote(kept, chunk) for chunk in chunks]:
            yield from ray.get(waiting)
    finally:
        ray.shutdown()


def wishes_of(kinds: Sequence[str], calls: int, seed: int) -> tuple[Wish, ...]:
    """So many calls, the kinds taking turns."""
    return tuple(Wish(kinds[number % len(kinds)], seed + number) for number in range(calls))
