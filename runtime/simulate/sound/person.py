"""A synthetic caller of some kind on a telephone: the same mind as at the level of text, but with a voice.

It knows where the call stands by its record, as it is written, since the engine gives the same state for the
same events. What it means is remembered beside what was understood.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from runtime.engine.events import CallStarted, Event, TurnReported
from runtime.engine.state import State
from runtime.engine.step import start, step
from runtime.simulate.crowd.kinds import Kind
from runtime.simulate.crowd.person import Caller
from runtime.simulate.crowd.run import Wish
from runtime.simulate.drive.hearing import Hearing
from runtime.simulate.drive.moves import HangUp, Keys, Move, Turn
from runtime.simulate.profile import Line
from runtime.voices.grammar import ENDINGS, MONTHS, ORDINALS, words_of
from voiceflow_compiler.artifact import Artifact

INTO_MS: Final = (400, 2500)  # how far into the assistant's speech somebody talks over it


class Followed:
    """A call as its record tells it: the state of the engine, and what each turn was understood as."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        self.call_id = ""
        self.state: State | None = None
        self.heard: list[str] = []

    def take(self, line: Mapping[str, Any]) -> None:
        """Take in one line of the record, as plain data."""
        if "event" not in line:
            return
        event = msgspec.convert(line["event"], Event)
        if isinstance(event, CallStarted):
            self.call_id = event.call_id
            self.state, _ = start(self._artifact, event)
        elif self.state is not None:
            before = self.state.counts.turns
            self.state, _ = step(self._artifact, self.state, event)
            if isinstance(event, TurnReported) and self.state.counts.turns > before:
                self.heard.append(str(event.arguments.get("intent", "")))


class Person:
    """The wits of a caller of a kind (see `receiver.Wits`)."""

    def __init__(self, artifact: Artifact, kind: Kind, wish: Wish, call: Followed, overlap: int) -> None:
        self._artifact = artifact
        self._kind = kind
        self._chance = random.Random(f"voice:{wish.kind}:{wish.seed}")
        mind = random.Random(f"{wish.kind}:{wish.seed}")
        self._mind = Caller(artifact, kind, mind, Hearing(artifact))
        self._call = call
        self._overlap = overlap
        self._into: int | None = None
        self._heard_before = 0
        self.meant: list[tuple[str, int]] = []  # the intent, and how many turns had been understood before

    @property
    def patience_ms(self) -> int:
        return self._kind.manner.patience_ms

    def ready(self) -> bool:
        """Where the call rests with the caller."""
        return self._call.state is not None and self._call.state.phase == "listening"

    def answer(self) -> Line | None:
        """What the mind makes of the place the call has come to."""
        assert self._call.state is not None
        return self._do(self._mind.turn(self._call.state))

    def interrupt(self, playing_ms: int) -> Line | None:
        """Now and then this kind talks over the assistant."""
        if playing_ms == 0:
            talks_over = self._chance.random() * 100 < self._overlap
            self._into = self._chance.randint(*INTO_MS) if talks_over else None
        if self._into is None or playing_ms < self._into or self._call.state is None:
            return None
        self._into = None
        return self._do(self._mind.turn(self._call.state))

    def _do(self, move: Move) -> Line | None:
        match move:
            case Turn(intent="unclear", words=""):
                return Line(mumble=True)
            case Turn():
                self.meant.append((move.intent, len(self._call.heard)))
                return Line(say=move.words or self._words(move))
            case Keys(digits=digits):
                return Line(key=digits)
            case HangUp():
                return Line(hang_up=True)
        return None

    def _words(self, turn: Turn) -> str:
        known = self._artifact.intents.get(turn.intent)
        said = self._chance.choice(known.examples) if known is not None and known.examples else ""
        values = [in_words(self._artifact.slots[name].type, value) for name, value in turn.slots.items()]
        if turn.intent == "correction":
            values = [f"no I meant {value}" for value in values]
        return " and ".join(values) or said or (known.means if known is not None else "yes")

    @property
    def understood(self) -> int:
        """How many turns were understood as they were meant."""
        heard = self._call.heard
        return sum(at < len(heard) and heard[at] == intent for intent, at in self.meant)


def in_words(kind: str, value: Any) -> str:
    """A value as somebody says it on a telephone."""
    text = str(value)
    match kind:
        case "boolean":
            return "yes" if value else "no"
        case "email":
            local, _, domain = text.partition("@")
            name, _, ending = domain.rpartition(".")
            known = ending if ending in ENDINGS else "com"
            return f"{' '.join(local)} at {name.replace('.', ' dot ')} dot {known}"
        case "date" if text.count("-") == 2:
            _, month, day = text.split("-")
            return f"{MONTHS[int(month) - 1]} {_ordinal(int(day))}"
        case "time" if ":" in text:
            hour, minute = text.split(":")[:2]
            return " ".join(words_of(f"{(int(hour) - 1) % 12 + 1} {int(minute) or ''}"))
        case "digits" | "phone":
            return " ".join(words_of(" ".join(text.strip("+"))))
    return text.replace("_", " ")


def _ordinal(day: int) -> str:
    if day <= 20 or day == 30:
        return ORDINALS[min(day, 21) - 1]
    return f"{'thirty' if day > 30 else 'twenty'} {ORDINALS[day % 10 - 1]}"
