"""How much of what means "a person, please" a language model understands as that, in words the flow does not
have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from runtime.simulate.cover.classes import contexts
from runtime.simulate.crowd.run import answered, wishes_of
from runtime.simulate.drive.steps import spoken
from runtime.simulate.llm.caller import Spoken, hear
from runtime.simulate.llm.openai_text import HOPELESS, ModelFailure, TextModel
from voiceflow_compiler.artifact import Artifact

OPENERS: Final = (
    *("", "um, ", "look, ", "no, ", "sorry but ", "please, ", "hang on, ", "okay so ", "honestly, "),
    "yes but ",
)
ASKED: Final = (
    *("can I talk to someone", "I'd rather speak with a human being", "is there anybody there", "operator"),
    *("give me your colleague", "I don't talk to machines", "put me through to somebody"),
    *("a real human please", "connect me with a representative", "let me speak to your manager"),
    *("I want a live agent", "agent", "get me out of this robot", "human", "can somebody call me instead"),
    "who can I actually speak to",
)
PHRASES: Final = tuple(f"{opener}{words}" for words in ASKED for opener in OPENERS)


class Taken(Struct, frozen=True):
    """What a phrase was taken for; `failed`: why the model gave no answer ("": it did)."""

    words: str
    intent: str = ""
    family: str = ""
    failed: str = ""


async def ask(
    artifact: Artifact, phrases: Sequence[str], model: TextModel, at_once: int, done: Callable[[], None]
) -> list[Taken]:
    """What the model takes each phrase for, said at the flow's first question, each in a call of its own.
    After a failure that would repeat itself nothing further is asked.
    """
    call, _ = answered(artifact, wishes_of(["plain"], 1, 1)[0], contexts(artifact))
    call.rest()
    said: list[Spoken] = [("assistant", words) for one in call.segments[-1] if (words := spoken(one))]
    lines, hopeless = asyncio.Semaphore(at_once), list[str]()

    async def take(words: str) -> Taken:
        async with lines:
            if hopeless:
                return Taken(words, failed=hopeless[0])
            try:
                heard = await hear(model, artifact, call.state, said, words)
            except ModelFailure as failure:
                hopeless.extend([failure.reason] if failure.reason in HOPELESS else [])
                return Taken(words, failed=failure.reason)
            done()
            return Taken(words, heard.intent, artifact.intents[heard.intent].family)

    try:
        return list(await asyncio.gather(*(take(words) for words in phrases)))
    finally:
        await model.close()
