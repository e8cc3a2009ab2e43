"""What a text is understood as at a place of a call: by the rules of the stand-in, remembered, since the same
words at the same place mean the same.
"""

from __future__ import annotations

from typing import Any

from runtime.engine.fill import brief
from runtime.engine.state import State
from runtime.session.stand_in.policy import report
from runtime.session.stand_in.turns import Entry, Turn
from runtime.simulate.drive import moves
from voiceflow_compiler.artifact import Artifact

REPORT = "take_turn"


class Hearing:
    """The ears for one flow."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        self._known: dict[tuple[Any, ...], moves.Turn] = {}
        tool = next((tool for tool in artifact.tools if tool.name == REPORT), None)
        self._tool = {
            "parameters": tool.parameters if tool else {"properties": {"intent": {"enum": ["unclear"]}}}
        }

    def hear(self, state: State, words: str) -> moves.Turn:
        """The turn these words are, said here."""
        at = state.node if state.node in self._artifact.nodes else ""
        missing = (
            tuple(slot for slot in self._artifact.nodes[at].collect if slot not in state.slots) if at else ()
        )
        key = (at, missing, state.confirming, words)
        if key not in self._known:
            self._known[key] = self._hear(state, words) if at else moves.Turn("unclear", words=words)
        return self._known[key]

    def _hear(self, state: State, words: str) -> moves.Turn:
        entries = (Entry("system", brief(self._artifact, state, None)), Entry("user", words))
        told = report(Turn(self._artifact.prefix, (), "auto", entries, "text", {}), self._tool)
        return moves.Turn(told["intent"], told["slots"], told["confidence"], told["sentiment"], words)
