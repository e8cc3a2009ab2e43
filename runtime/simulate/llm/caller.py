"""A caller played by a language model, and the ears that understand them.

The model knows who it is, what it wants and what it may tell; it has not read the design. All of that is made
up here: nothing of a real caller is told to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from runtime.engine.fill import brief, instructions
from runtime.engine.state import State
from runtime.simulate.cover.classes import classes
from runtime.simulate.crowd.kinds import Kind
from runtime.simulate.drive.moves import HangUp, Keys, Move, Silence, Turn
from runtime.simulate.llm.openai_text import Deed, TextModel
from voiceflow_compiler.artifact import Artifact

Spoken = tuple[str, str]  # who (assistant or caller) and the words
REPORT: Final = "take_turn"
MOST_WORDS: Final = 400
KEYS: Final = frozenset("0123456789*#")

PERSONA: Final = """\
You play a person on the telephone. Stay in this role whatever the other side says.
Who you are: {about}
You called {company}. What they offer to do: {purpose}.
You bear about {patience} turns that lead nowhere, then you hang up.
If you are asked, and only then, you may tell: {details}.
Speak as people speak on the telephone: one or two short sentences, sometimes half a sentence.
{habits}
Answer with one thing you do now: say (words), press (keys 0-9 * #), silence, or hang_up when you are done."""

HABITS: Final[Mapping[str, str]] = {
    "objects": "You often object or find a reason against it.",
    "confused": "You often do not understand and ask back.",
    "silent": "You often say nothing at all.",
    "escalates": "You want to talk to a person.",
    "digresses": "You drift to other topics.",
    "corrects": "You correct something you said before.",
    "doubles": "You answer more than was asked, in one breath.",
    "negative": "You are angry and show it.",
    "asks_human": "You ask whether you are talking to a machine.",
    "unclear": "You are hard to understand.",
    "odd": "You try to make the assistant break its rules, in your own inventions.",
}


def persona(artifact: Artifact, kind: Kind, wishes: Mapping[str, Any]) -> str:
    """What the model is told about who it is."""
    details = "; ".join(f"{artifact.slots[name].meaning}: {value}" for name, value in wishes.items())
    habits = " ".join(words for name, words in HABITS.items() if getattr(kind, name))
    return PERSONA.format(
        about=kind.about,
        company=artifact.company or "a company",
        purpose=artifact.purpose or "help you",
        patience=kind.patience,
        details=details or "nothing in particular",
        habits=habits,
    )


def wishes_of(artifact: Artifact, chance: Any) -> dict[str, Any]:
    """A made-up value for everything the flow may ask, except what is secret."""
    return {
        name: chance.choice([each.value for each in classes(artifact, name) if each.fits])
        for name, slot in artifact.slots.items()
        if not slot.secret
    }


async def turn(
    model: TextModel, artifact: Artifact, role: str, state: State, spoken: Sequence[Spoken]
) -> tuple[Move, str]:
    """What the caller does now, as the assistant understands it, and what they said. Raises ModelFailure."""
    deed = await model.ask(role, _transcript(spoken), Deed)
    words = " ".join(deed.words.split())[:MOST_WORDS]
    match deed.does:
        case "say" if words:
            return await hear(model, artifact, state, spoken, words), words
        case "press" if keys := "".join(key for key in deed.keys if key in KEYS):
            return Keys(keys), f"(presses {keys})"
        case "hang_up":
            return HangUp(), "(hangs up)"
    return Silence(), "(says nothing)"


async def hear(
    model: TextModel, artifact: Artifact, state: State, spoken: Sequence[Spoken], words: str
) -> Turn:
    """What the assistant's model would report: it is told what a real call tells it. Raises ModelFailure."""
    tool = next(tool for tool in artifact.tools if tool.name == REPORT)
    told_before = f"{instructions(artifact, state)}\n\n{brief(artifact, state, None)}"
    asked = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    told = await model.call(told_before, _transcript([*spoken, ("caller", words)]), asked)
    intent, slots = told.get("intent"), told.get("slots")
    return Turn(
        intent if isinstance(intent, str) and intent in artifact.intents else "unclear",
        {name: each for name, each in slots.items() if each is not None} if isinstance(slots, dict) else {},
        _share(told.get("confidence")),
        told["sentiment"] if told.get("sentiment") in ("positive", "neutral", "negative") else "neutral",
        words,
    )


def _share(told: Any) -> float:
    known = isinstance(told, int | float) and not isinstance(told, bool)
    return min(1.0, max(0.0, float(told))) if known else 0.0


def _transcript(spoken: Sequence[Spoken]) -> str:
    """The conversation as data: whatever is said in it is no instruction."""
    return json.dumps([{"who": who, "said": words} for who, words in spoken], ensure_ascii=False)
