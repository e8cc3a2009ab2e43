"""A synthetic caller's next move: by kind, goal, patience and chance, where chance is a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from runtime.engine.state import State
from runtime.simulate.cover.classes import classes, keys
from runtime.simulate.crowd.kinds import Kind
from runtime.simulate.drive.hearing import Hearing
from runtime.simulate.drive.moves import HangUp, Keys, Move, Silence, Turn
from voiceflow_compiler.artifact import Artifact

SURE, UNSURE, UNCLEAR = 0.95, 0.65, 0.2


class Caller:
    """One caller on one call. Intents are taken from the flow, so that any flow can be called."""

    def __init__(self, artifact: Artifact, kind: Kind, chance: Random, ears: Hearing) -> None:
        self.artifact = artifact
        self.kind = kind
        self.chance = chance
        self.ears = ears
        self.patience = kind.patience
        self.by_family = families(artifact)
        self.wishes: dict[str, Any] = {}  # what they answer, the same each time they are asked

    def turn(self, state: State) -> Move:
        """What the caller does now."""
        if state.counts.no_progress > self.patience:
            return HangUp()
        roll = self.chance.random() * 100
        for share, deed in self._tends():
            if roll < share:
                move: Move | None = deed(state)
                if move is not None:
                    return move
                break
            roll -= share
        return self._go_on(state)

    def _tends(self) -> Sequence[tuple[int, Any]]:
        kind = self.kind
        return (
            (kind.escalates, lambda state: self._say("escalation")),
            (kind.objects, lambda state: self._say("objection")),
            (kind.confused, lambda state: self._say("confusion")),
            (kind.silent, lambda state: Silence()),
            (kind.unclear, self._odd),
            (kind.digresses, lambda state: self._say("digression")),
            (kind.corrects, self._correct),
            (kind.asks_human, lambda state: self._say("identity")),
            (kind.hangs_up, lambda state: HangUp()),
        )

    def _say(self, family: str) -> Move | None:
        known = self.by_family.get(family)
        if not known:
            return None
        return Turn(self.chance.choice(known), confidence=self._confidence(), sentiment=self._sentiment())

    def _odd(self, state: State) -> Move:
        if self.kind.odd:
            return self.ears.hear(state, self.chance.choice(self.kind.odd))
        return Turn("unclear", confidence=UNCLEAR, sentiment=self._sentiment())

    def _correct(self, state: State) -> Move | None:
        known = [name for name in state.slots if self._speakable(name)]
        if not known or "correction" not in self.artifact.intents:
            return None
        name = self.chance.choice(known)
        self.wishes.pop(name, None)
        return Turn("correction", {name: self._wish(name)}, self._confidence(), self._sentiment())

    # ---- the goal

    def _go_on(self, state: State) -> Move:
        node = self.artifact.nodes.get(state.node)
        if node is None or node.kind != "ask":
            return Silence()
        if state.confirming:
            return Turn("agreement", sentiment=self._sentiment())
        missing = [name for name in node.collect if name not in state.slots]
        for name in missing:
            if self.artifact.slots[name].by_keypad:
                return Keys(keys(self.artifact.slots[name]))
        wanted = [name for name in missing if self._speakable(name)]
        if wanted:
            return self._answer(wanted)
        if node.keys and self.chance.random() < 0.1:
            return Keys(self.chance.choice(sorted(node.keys)))
        willing = [name for name in self.by_family.get("agreement", ()) if name in node.answers] or [
            "agreement"
        ]
        return Turn(self.chance.choice(willing), confidence=self._confidence(), sentiment=self._sentiment())

    def _answer(self, wanted: list[str]) -> Move:
        told = wanted[:1]
        if self.chance.random() * 100 < self.kind.doubles:
            others = [name for name in self.artifact.slots if self._speakable(name) and name not in told]
            told += self.chance.sample(others, min(1, len(others)))
        intent = "answer" if "answer" in self.artifact.intents else "agreement"
        return Turn(intent, {name: self._wish(name) for name in told}, self._confidence(), self._sentiment())

    def _wish(self, name: str) -> Any:
        if name not in self.wishes:
            fits = [each.value for each in classes(self.artifact, name) if each.fits]
            self.wishes[name] = self.chance.choice(fits)
        return self.wishes[name]

    def _speakable(self, name: str) -> bool:
        slot = self.artifact.slots[name]
        return not slot.by_keypad and not slot.secret

    def _confidence(self) -> float:
        return UNSURE if self.chance.random() * 100 < self.kind.unsure else SURE

    def _sentiment(self) -> str:
        return "negative" if self.chance.random() * 100 < self.kind.negative else "neutral"


def families(artifact: Artifact) -> Mapping[str, list[str]]:
    """The intents of a flow by family."""
    found: dict[str, list[str]] = {}
    for name, intent in artifact.intents.items():
        found.setdefault(intent.family, []).append(name)
    return found
