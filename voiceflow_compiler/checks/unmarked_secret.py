"""A slot that by its meaning is a secret, and is not marked as one.

Why: only what is marked `secret` stays out of the prompt, the transcript, the package and the logs. Card
numbers and passwords in any of these are a breach.

**Flagged**

    slots:
      card: {type: digits, meaning: their credit card number, by: keypad}  # flagged

**Clean**

    slots:
      card: {type: digits, meaning: their credit card number, by: keypad, secret: true}

Tip: say `secret: true`, and take it `by: keypad`.
"""

import re
from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, before, plain
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF711"
NAME: Final = "unmarked-secret"
SEVERITY: Final = "warning"

_SECRET: Final = re.compile(
    r"\b((credit |debit |bank |payment )card (number|code)|card (number|verification)|cvv|cvc"
    r"|passwords?|passcode|pass ?phrase|pin( code| number)?"
    r"|social security( number)?|ssn|security code|one time code)\b"
)
# "the last four digits of the card" tell nothing by themselves
_PART: Final = re.compile(r"\b(last|first) (two|three|four|2|3|4)\b|\bforgot|\breset|\bwhether\b")


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every slot whose meaning names a secret (English only)."""
    for slot in flow.slots.values():
        words = plain(slot.meaning)
        named = _SECRET.search(words)
        if slot.secret or named is None or _PART.search(words) or slot.type in ("boolean", "choice"):
            continue
        if named[0] == "pin" and slot.type not in ("digits", "integer"):
            continue
        yield Found(
            places.key(slot.path),
            f'"{slot.name}" is a {named[0]}, and is not marked as secret: it reaches the prompt, the '
            "transcript and the logs",
            "Say `secret: true`, and take it `by: keypad`.",
            fix=before(places, (*slot.path, "type"), "secret: true") if slot.by_keypad else (),
        )
