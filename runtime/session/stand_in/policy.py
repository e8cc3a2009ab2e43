"""What the stand-in says and calls: decided by the prompt and the tools it was given, and by nothing else.

One pure function of a Turn. A prompt in the forms of docs/prompting.md is obeyed; for any other client there
is a short conversation of echoes. There is no classifier: an utterance means what an example in the prompt
says it means, or it is unclear.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runtime.session.stand_in import prompt
from runtime.session.stand_in.configuration import Json
from runtime.session.stand_in.prompt import REPORT, Brief, IntentLine, SlotLine
from runtime.session.stand_in.slots import agreement, extract, today_in
from runtime.session.stand_in.turns import Call, Entry, Output, Say, Turn
from runtime.session.stand_in.wording import contains, normalise

EXACT, CONTAINED, ANSWERED, UNCLEAR = 0.95, 0.85, 0.9, 0.2
POSITIVE = (
    "great",
    "thanks",
    "thank you",
    "perfect",
    "good",
    "love",
    "excellent",
    "happy",
    "wonderful",
    "awesome",
)
NEGATIVE = (
    "angry",
    "terrible",
    "bad",
    "hate",
    "annoyed",
    "annoying",
    "ridiculous",
    "useless",
    "frustrated",
    "upset",
    "stop calling",
)


def decide(turn: Turn) -> tuple[Output, ...]:
    """A call of the forced tool; else a report of a turn not reported yet, where that may be called; else
    speech."""
    tools = {tool["name"]: tool for tool in turn.tools if tool["type"] == "function"}
    forced = _forced(turn.tool_choice, tools)
    if forced:
        return (_call(forced, turn),)
    if turn.tool_choice == "auto" and REPORT in tools and _newest_unreported(turn.entries):
        return (_call(tools[REPORT], turn),)
    if turn.tool_choice == "auto" and REPORT not in tools and (named := _named_tool(turn.entries, tools)):
        return (_call(named, turn),)
    return (Say(_words(turn)),)


def _forced(choice: str | Json, tools: dict[str, Json]) -> Json | None:
    if isinstance(choice, dict):
        return tools.get(choice.get("name", ""))
    return next(iter(tools.values()), None) if choice == "required" else None


def _call(tool: Json, turn: Turn) -> Call:
    if tool["name"] == REPORT and prompt.intents(turn.instructions):
        return Call(REPORT, json.dumps(report(turn, tool), ensure_ascii=False))
    return Call(tool["name"], json.dumps(least_value(tool.get("parameters") or {}), ensure_ascii=False))


def _newest_unreported(entries: Sequence[Entry]) -> bool:
    """Whether somebody spoke since the last report (a caller item that comes after every call of the report
    tool)."""
    for entry in reversed(entries):
        if entry.kind == "user":
            return True
        if entry.kind == "call" and entry.name == REPORT:
            return False
    return False


def _named_tool(entries: Sequence[Entry], tools: dict[str, Json]) -> Json | None:
    """For clients of their own making: a tool whose name the user says (underscores as spaces) is called."""
    if not entries or entries[-1].kind != "user":
        return None
    words = normalise(entries[-1].text)
    return next(
        (tool for name, tool in tools.items() if contains(words, normalise(name.replace("_", " ")))), None
    )


def _words(turn: Turn) -> str:
    """What is spoken: the newest brief, or an echo for a client without briefs."""
    brief = prompt.newest_brief(turn.entries) or prompt.brief(turn.instructions)
    if brief:
        return brief.words
    last = next((entry for entry in reversed(turn.entries) if entry.kind in ("user", "output")), None)
    match last:
        case None:
            return "Hello, how can I help?"
        case Entry(kind="output", text=text):
            return f"The tool answered: {text}"
        case Entry(text=""):
            return "I could not hear you."
        case Entry(text=text):
            return f"I heard: {text}"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an utterance was taken to mean, and how surely."""

    intent: str
    confidence: float


def report(turn: Turn, tool: Json) -> Json:
    """The arguments of `take_turn` for the newest caller item."""
    heard = next((entry.text for entry in reversed(turn.entries) if entry.kind == "user"), "")
    schema = tool["parameters"]["properties"]
    brief = prompt.newest_brief(turn.entries) or Brief(now_at="")
    allowed = schema["intent"]["enum"]
    listed = [one for one in prompt.intents(turn.instructions) if one.name in allowed]
    wanted = (schema.get("slots") or {}).get("properties") or {}
    known = [slot for slot in prompt.slots(turn.instructions) if slot.name in wanted]
    values = extract(heard, known, brief.find_out, today_in(turn.instructions)) if heard else {}
    values = {name: value for name, value in values.items() if _fits(wanted[name], value)}
    meaning = understand(heard, listed, allowed, brief, values)
    if meaning.confidence <= UNCLEAR:
        text = _only_text(known, brief)
        if text and heard:
            values, meaning = {text: heard}, Meaning(_one_of(allowed, "answer"), ANSWERED)
    return {
        "intent": meaning.intent,
        "confidence": meaning.confidence,
        "slots": values,
        "sentiment": sentiment(heard),
        "heard": heard,
    }


def _fits(schema: Json, value: Any) -> bool:
    """Whether a value is within the bounds its schema names; a model that follows the schema reports no
    other."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return True
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))


def understand(
    heard: str, listed: Sequence[IntentLine], allowed: Sequence[str], brief: Brief, values: Json
) -> Meaning:
    """The intent: a read-back's yes or no, an example said exactly, an example said within, an answer, or
    unclear."""
    words = normalise(heard)
    if brief.read_back and (agreed := agreement(heard)) is not None:
        changed = "correction" if values or "denial" not in allowed else "denial"
        return Meaning(_one_of(allowed, "agreement" if agreed else changed), EXACT)
    best = _best_example(words, listed, brief)
    if best and best[0] == words:
        return Meaning(best[1], EXACT)
    if best:
        return Meaning(best[1], CONTAINED)
    return (
        Meaning(_one_of(allowed, "answer"), ANSWERED)
        if values
        else Meaning(_one_of(allowed, "unclear"), UNCLEAR)
    )


def _best_example(words: str, listed: Sequence[IntentLine], brief: Brief) -> tuple[str, str] | None:
    """The longest example in the words, and its intent; of equals, one that has an answer at this node."""
    said = [
        (example, intent.name)
        for intent in listed
        for example in map(normalise, intent.examples)
        if contains(words, example)
    ]
    return max(said, key=lambda one: (len(one[0]), one[1] in brief.answers_here), default=None)


def _only_text(known: Sequence[SlotLine], brief: Brief) -> str | None:
    """The text slot that alone is asked for: then the whole utterance is its value."""
    asked = [slot for slot in known if slot.name in brief.find_out]
    return asked[0].name if len(asked) == 1 and asked[0].type == "text" else None


def _one_of(allowed: Sequence[str], wanted: str) -> str:
    return wanted if wanted in allowed else allowed[-1]


def sentiment(heard: str) -> str:
    """positive, neutral or negative by two short word lists; negative wins."""
    words = normalise(heard)
    if any(contains(words, one) for one in NEGATIVE):
        return "negative"
    return "positive" if any(contains(words, one) for one in POSITIVE) else "neutral"


def least_value(schema: Json) -> Any:
    """The smallest value that a JSON Schema of a tool's parameters accepts: required properties only."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "null")
    kind = kind[0] if isinstance(kind, list) else kind
    match kind:
        case "object":
            return {
                name: least_value(schema.get("properties", {}).get(name, {}))
                for name in schema.get("required", ())
            }
        case "array":
            return [least_value(schema.get("items", {})) for _ in range(schema.get("minItems", 0))]
        case "string":
            return "x" * max(1, schema.get("minLength", 1))
        case "integer" | "number":
            return max(0, schema.get("minimum", 0))
        case "boolean":
            return False
        case _:
            return None
