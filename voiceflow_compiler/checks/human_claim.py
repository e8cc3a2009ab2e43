"""Words that make a caller believe they talk to a human.

Why: the assistant must never pass for a person. It breaks trust, and in many places the law.

**Flagged**

    nodes:
      team:
        kind: ask
        say: I'm a real person, don't worry. How many people would use it?  # flagged
        collect: [team_size]
        filled: offer

**Clean**

    nodes:
      team:
        kind: ask
        say: I'm an assistant, not a real person. How many people would use it?
        collect: [team_size]
        filled: offer

Tip: say what it is, "I'm an AI assistant", or say nothing about it.
"""

import re
from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, line_place, plain, seeking, spoken
from voiceflow_compiler.diagnostics import Places, Span
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF405"
NAME: Final = "human-claim"
SEVERITY: Final = "error"

_A_HUMAN: Final = r"(really )?an? (((real|actual|live) )?human( being)?|(real|actual|live) (person|agent))\b"
# In exact words "I" is the assistant and "you" the caller; in a meaning to convey, "you" is the assistant.
_SPOKEN: Final = re.compile(
    rf"\b(i'm|i am) {_A_HUMAN}|\b(i'm|i am) not an? (ai|a i|bot|robot|machine|computer|recording|chatbot)\b"
)
_MEANT: Final = re.compile(rf"\b(that you are|that you're|pretend to be|claim to be) {_A_HUMAN}")
# Most lines have none of these, and need not be looked at more closely.
_HINT: Final = seeking(r"human|person|agent|\bnot an?\b", re.IGNORECASE)
# "Never say that you are a human" is what a designer should write.
_DENIED: Final = re.compile(r"\b(not|never|don't|isn't|without)\b(?:\W*\w+){0,4}\W*$")


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every line with words that claim to be human; instructions not to are fine."""
    for span, what, claim in _claims(flow, graph, places):
        yield Found(
            span,
            f'{what} makes the caller believe that a human is speaking: "{claim}"',
            "Say what it is, for example: I'm an AI assistant. Or say nothing about it.",
        )


def _claims(flow: Flow, graph: Graph, places: Places) -> Iterator[tuple[Span, str, str]]:
    for line, _, what in spoken(flow, graph):
        claim = _claim(line.say, _SPOKEN) or _claim(line.sample, _SPOKEN) or _claim(line.convey, _MEANT)
        if claim:
            yield line_place(line, places), what, claim
    if claim := _claim(flow.style, _MEANT):
        yield places.value(("style",)), "the style", claim
    for at, text in enumerate(flow.knowledge):
        if claim := _claim(text, _SPOKEN) or _claim(text, _MEANT):
            yield places.value(("knowledge", at)), "what the assistant knows", claim


def _claim(text: str | None, claims: re.Pattern[str]) -> str:
    if text is None or not _HINT(text):
        return ""
    words = plain(text)
    claim = claims.search(words)
    return claim[0] if claim and not _DENIED.search(words[: claim.start()]) else ""
