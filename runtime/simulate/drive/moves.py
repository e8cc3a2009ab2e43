"""What can be done to a call at a place where it rests: the caller's moves, and the outside's.

Laws
1. A call rests where somebody has a choice: the caller (listening), the office (acting), the desk
   (delivering) and the person (transferring). Everything between two rests follows by itself.
2. A move is plain data: the same moves give the same call.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from msgspec import Struct

from runtime.engine.events import Scalar

Person = Literal["accepts", "declines", "busy", "no_answer"]


class Turn(Struct, frozen=True, tag=True, omit_defaults=True):
    """The caller says something that is understood like this. `words` is what they said, where it matters."""

    intent: str
    slots: dict[str, Any] = {}
    confidence: float = 0.95
    sentiment: str = "neutral"
    words: str = ""


class Keys(Struct, frozen=True, tag=True):
    """The caller presses these keys, one after the other."""

    digits: str


class Silence(Struct, frozen=True, tag=True):
    """The caller says nothing for as long as the node waits."""


class HangUp(Struct, frozen=True, tag=True):
    pass


class LoseModel(Struct, frozen=True, tag=True):
    """The speech model is lost and does not come back."""


UNKNOWN: Final = "unknown"


class Office(Struct, frozen=True, tag=True, omit_defaults=True):
    """The action under way ends: with this result over plain values of the declared types, or not
    (`fails` says why; UNKNOWN: nobody can tell whether it was done). `takes_ms` is how long it took.
    """

    result: dict[str, Scalar] = {}
    fails: str = ""
    takes_ms: int = 200


class Desk(Struct, frozen=True, tag=True, omit_defaults=True):
    """The package arrives at the human's side, or does not."""

    fails: str = ""


class Answered(Struct, frozen=True, tag=True):
    """What the person does whose telephone rings."""

    person: Person


Move = Turn | Keys | Silence | HangUp | LoseModel | Office | Desk | Answered
OUTSIDE = (Office, Desk, Answered)
