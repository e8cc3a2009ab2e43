"""Calls with a language model: it plays the callers, or judges, or both; some at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from runtime.simulate.cover.classes import contexts
from runtime.simulate.crowd.kinds import KINDS
from runtime.simulate.crowd.person import Caller
from runtime.simulate.crowd.run import Had, Wish, answered, judged
from runtime.simulate.drive.call import DrivenCall
from runtime.simulate.drive.hearing import Hearing
from runtime.simulate.drive.moves import HangUp, Keys, Move, Turn
from runtime.simulate.drive.steps import spoken
from runtime.simulate.llm.caller import Spoken, persona, turn, wishes_of
from runtime.simulate.llm.judge import Judged, judge
from runtime.simulate.llm.openai_text import HOPELESS, ModelFailure, TextModel
from voiceflow_compiler.artifact import Artifact

MOST_TURNS: Final = 40  # each costs two questions


class Task(Struct, frozen=True):
    """What the model does. `properties` empty: it does not judge."""

    plays: bool
    properties: tuple[str, ...] = ()
    at_once: int = 4


class Played(Struct, frozen=True):
    """One call: as any simulated one, its words, the verdicts, and why the model failed on it ("": it did
    not).
    """

    had: Had | None
    transcript: tuple[Spoken, ...] = ()
    verdicts: tuple[Judged, ...] = ()
    failed: str = ""


async def play_all(
    artifact: Artifact, wishes: Sequence[Wish], model: TextModel, task: Task, done: Callable[[], None]
) -> list[Played]:
    """Make these calls, in order. After a failure that would repeat itself no further call is begun."""
    lines = asyncio.Semaphore(task.at_once)
    hopeless: list[str] = []

    async def play(wish: Wish) -> Played:
        async with lines:
            if hopeless:
                return Played(None, failed=hopeless[0])
            played = await _play(artifact, wish, model, task)
            if played.failed in HOPELESS:
                hopeless.append(played.failed)
            done()
            return played

    try:
        return list(await asyncio.gather(*(play(wish) for wish in wishes)))
    finally:
        await model.close()


async def _play(artifact: Artifact, wish: Wish, model: TextModel, task: Task) -> Played:
    call, chance = answered(artifact, wish, contexts(artifact))
    said: list[Spoken] = []
    kind = KINDS[wish.kind]
    role = persona(artifact, kind, wishes_of(artifact, chance)) if task.plays else ""
    alone = Caller(artifact, kind, chance, Hearing(artifact))
    try:
        for _ in range(MOST_TURNS):
            call.rest()
            said += [("assistant", words) for moment in call.segments[-1] if (words := spoken(moment))]
            if call.over:
                break
            if task.plays:
                move, words = await turn(model, artifact, role, call.state, said)
            else:
                move = alone.turn(call.state)
                words = _words(artifact, move)
            said.append(("caller", words))
            call.do(move)
        had = _over(artifact, wish, call)
    except ModelFailure as failure:
        return Played(None, tuple(said), failed=failure.reason)
    if not task.properties:
        return Played(had, tuple(said))
    try:
        return Played(had, tuple(said), await judge(model, said, task.properties))
    except ModelFailure as failure:
        return Played(had, tuple(said), failed=failure.reason)


def _over(artifact: Artifact, wish: Wish, call: DrivenCall) -> Had:
    """The call judged by the laws. A model that talks on is hung up on, which is no finding."""
    if not call.over:
        call.do(HangUp())
    call.rest()
    return judged(artifact, wish, call.moments, ended=True)


def _words(artifact: Artifact, move: Move) -> str:
    """What a caller of a kind is heard to say, for a transcript."""
    match move:
        case Turn(words=words) if words:
            return words
        case Turn(intent=intent, slots=slots):
            known = artifact.intents[intent]
            values = " and ".join(str(value) for value in slots.values())
            return values or next(iter(known.examples), known.means)
        case Keys(digits=digits):
            return f"(presses {digits})"
        case HangUp():
            return "(hangs up)"
    return "(says nothing)"
