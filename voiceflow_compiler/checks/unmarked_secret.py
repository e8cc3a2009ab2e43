"""A value that by its meaning is a secret, and is not marked as one.

Why: only what is marked `secret` stays out of the prompt, the transcript, the package and the logs. Card
numbers, codes and passwords in any of these are a breach. What an action returns cannot be marked: it is
there to be spoken.

**Flagged**

    slots:
      card: {type: digits, meaning: their credit card number, by: keypad}  # flagged

**Flagged**

    caller_facts:
      source: crm
      fields:
        account: {type: choice, choices: [none, trial, customer], otherwise: none}
        passport_number: {type: text, otherwise: none}  # flagged

**Flagged**

    actions:
      book_demo:
        does: Books a demo.
        takes: {email: slots.email}
        returns: {door_code: {type: text}, card_number: {type: text}}  # flagged
        changes_something: true

**Clean**

    slots:
      card: {type: digits, meaning: their credit card number, by: keypad, secret: true}

Tip: say `secret: true`, and take it `by: keypad`; let an action return the last digits only.

Fix: `secret: true`, where the value is taken from the keypad or read before the call.
"""

import re
from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.artifact import ValueType
from voiceflow_compiler.checks.base import Found, before, plain, seeking
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF711"
NAME: Final = "unmarked-secret"
SEVERITY: Final = "warning"

_SECRET: Final = seeking(
    r"\b((credit |debit |bank |payment )card (number|code)|card (number|verification)|cvv|cvc"
    r"|passwords?|passcode|pass ?phrase|pin( code| number)?"
    r"|social security( number)?|ssn|security code|(one time|verification|authori[sz]ation) (pass)?code|otp"
    r"|passport( number)?|driver'?s? licen[cs]e( number)?|(national|tax) (id|identification|insurance)"
    r"|iban|(bank )?routing number|bank account( number)?|health insurance number|medical record number)\b"
)
# "the last four digits of the card" tell nothing by themselves
_PART: Final = re.compile(r"\b(last|first) (two|three|four|2|3|4)\b|\bforgot|\breset|\bwhether\b")


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every slot, fact and result that names a secret (English only)."""
    for slot in flow.slots.values():
        named = None if slot.secret else _secret(slot.type, f"{slot.name}. {slot.meaning}")
        if named is not None:
            yield Found(
                places.key(slot.path),
                f'"{slot.name}" is a {named}, and is not marked as secret: it reaches the prompt, the '
                "transcript and the logs",
                "Say `secret: true`, and take it `by: keypad`.",
                fix=before(places, (*slot.path, "type"), "secret: true") if slot.by_keypad else (),
            )
    for fact in flow.facts.values():
        named = None if fact.secret else _secret(fact.type, fact.name)
        if named is not None:
            yield Found(
                places.key(fact.path),
                f'"{fact.name}" is a {named}, and is not marked as secret: it reaches the prompt',
                "Say `secret: true`, or do not read it.",
                fix=before(places, (*fact.path, "type"), "secret: true"),
            )
    for action in flow.actions.values():
        for field, type_ in action.returns.items():
            named = _secret(type_, field)
            if named is not None:
                yield Found(
                    places.key((*action.path, "returns", field)),
                    f'what {action.name} returns as "{field}" is a {named}: it reaches the prompt',
                    "Let it return less, such as the last digits, or whether it is right.",
                )


def _secret(type_: ValueType, words: str) -> str | None:
    """The secret that a name and a meaning speak of; yes or no and a choice give none away."""
    text = plain(words.replace("_", " "))
    named = _SECRET(text)
    if named is None or _PART.search(text) or type_ in ("boolean", "choice"):
        return None
    return None if named[0] == "pin" and type_ not in ("digits", "integer", "text") else named[0]
