"""Reads the compiled prompts by program: the stable prefix, the briefs, and the phrases a caller is likely to
say.

The forms are those of docs/prompting.md and no others. Whatever does not have them is a prompt of somebody
else's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from runtime.session.stand_in.configuration import Json
from runtime.session.stand_in.turns import Entry
from runtime.session.stand_in.wording import numbers, tokens

REPORT = "take_turn"
INTENTS, SLOTS = "What a caller may mean", "What you find out"
LINE = re.compile(r"- (?P<name>[^\s(]+) \((?P<kind>[^)]*)\): (?P<rest>.*)")
CHOICE = re.compile(r'(?P<value>[^\s",()]+)(?: \((?P<phrases>"[^"]*"(?:, "[^"]*")*)\))?')
QUOTED = re.compile(r'"([^"]*)"')
LABELS = (
    "Now at",
    "Do",
    "For example",
    "Say exactly",
    "Find out",
    "Read back",
    "Known",
    "Answers here",
    "Then",
)


@dataclass(frozen=True, slots=True)
class IntentLine:
    """One line of what a caller may mean."""

    name: str
    family: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SlotLine:
    """One line of what the assistant finds out; `choices` are values with their phrases."""

    name: str
    type: str
    choices: tuple[tuple[str, tuple[str, ...]], ...]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Brief:
    """What one visit to a node asks for."""

    now_at: str
    do: str = ""
    example: str = ""
    exactly: str = ""
    find_out: tuple[str, ...] = ()
    read_back: str = ""
    answers_here: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What to say: the exact words, else the sample wording, else what is to be done."""
        return self.exactly or self.example or self.do


def section(instructions: str, title: str) -> list[str]:
    """The lines of one section of the stable prefix."""
    lines: list[str] = []
    inside = False
    for line in instructions.splitlines():
        if line.startswith("# "):
            inside = line[2:].strip() == title
        elif inside and line.strip():
            lines.append(line)
    return lines


def intents(instructions: str) -> tuple[IntentLine, ...]:
    """The intents the prefix lists, in its order."""
    found = (LINE.fullmatch(line.strip()) for line in section(instructions, INTENTS))
    return tuple(IntentLine(one["name"], one["kind"], _examples(one["rest"])) for one in found if one)


def slots(instructions: str) -> tuple[SlotLine, ...]:
    """The slots the prefix lists, in its order."""
    found = (LINE.fullmatch(line.strip()) for line in section(instructions, SLOTS))
    return tuple(_slot(one["name"], one["kind"].split(",")[0].strip(), one["rest"]) for one in found if one)


def _slot(name: str, kind: str, rest: str) -> SlotLine:
    _, _, listed = rest.rpartition(" One of: ") if " One of: " in rest else ("", "", "")
    values = CHOICE.finditer(listed.partition(" Examples: ")[0].rstrip("."))
    choices = tuple((one["value"], tuple(QUOTED.findall(one["phrases"] or ""))) for one in values)
    return SlotLine(name, kind, choices, _examples(rest))


def _examples(rest: str) -> tuple[str, ...]:
    _, marker, listed = rest.rpartition(" Examples: ")
    return tuple(QUOTED.findall(listed)) if marker else ()


def brief(text: str) -> Brief | None:
    """The brief in a text, or None if it is none."""
    fields = dict(_labelled(text))
    if "Now at" not in fields:
        return None
    return Brief(
        now_at=fields["Now at"],
        do=fields.get("Do", ""),
        example=_unquoted(fields.get("For example", "")),
        exactly=_unquoted(fields.get("Say exactly", "")),
        find_out=_names(fields.get("Find out", "")),
        read_back=fields.get("Read back", ""),
        answers_here=_names(fields.get("Answers here", "")),
    )


def _labelled(text: str) -> list[tuple[str, str]]:
    pairs = (line.strip().partition(": ") for line in text.splitlines())
    return [(label, value.strip()) for label, _, value in pairs if label in LABELS]


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def newest_brief(entries: Sequence[Entry]) -> Brief | None:
    """The latest brief among the items: a system item, or the `brief` of a tool's output."""
    for entry in reversed(entries):
        if entry.kind == "system" and (found := brief(entry.text)):
            return found
        if entry.kind == "output" and (found := brief(_brief_of(entry.text))):
            return found
    return None


def _brief_of(output: str) -> str:
    try:
        told = json.loads(output)
    except ValueError:
        return ""
    return str(told.get("brief") or "") if isinstance(told, dict) else ""


def likely_phrases(session: Json, entries: Sequence[Entry]) -> list[str]:
    """What a caller may say here, for a recogniser that knows only phrases: examples of the asked slots and
    of all intents.

    `<number>`, `<digits>`, `<date>`, `<time>` and `<email>` stand for anything of that kind; numbers in
    examples become `<number>`, so that "about fifty" also covers "about sixty".
    """
    instructions = session["instructions"]
    asked = newest_brief(entries)
    phrases = [example for intent in intents(instructions) for example in intent.examples]
    if asked and asked.read_back:
        phrases += ["yes", "no", "that's right", "that's wrong", "correct"]
    for slot in slots(instructions):
        phrases += [phrase for value, said in slot.choices for phrase in (said or (value.replace("_", " "),))]
        wanted = asked is None or slot.name in asked.find_out
        phrases += [
            *slot.examples,
            *map(_generalised, slot.examples),
            *(KINDS.get(slot.type, ()) if wanted else ()),
        ]
    return list(dict.fromkeys(phrase for phrase in phrases if phrase))


KINDS = {
    "integer": ("<number>", "about <number>", "<number> people"),
    "number": ("<number>", "about <number>"),
    "money": ("<number>", "<number> dollars", "about <number> dollars"),
    "boolean": ("yes", "no", "yes i do", "no i dont"),
    "digits": ("<digits>",),
    "phone": ("<digits>", "my number is <digits>"),
    "date": ("<date>", "on <date>"),
    "time": ("<time>", "at <time>"),
    "email": ("<email>",),
}


def _generalised(example: str) -> str:
    words = tokens(example)
    out, at = [], 0
    for start, end, _ in numbers(words):
        out += [*words[at:start], "<number>"]
        at = end
    return " ".join(out + words[at:]) if out else example
