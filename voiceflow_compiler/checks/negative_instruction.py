"""An instruction that says only what not to do.

Why: a model that is told what not to do must guess what to do. Callers hear a different guess each time. An
intent that means everything but something is told apart from nothing.

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Don't talk about the price.  # flagged
        on:
          agreement: {go: email}

**Flagged**

    intents:
      wants_discount:
        family: objection
        means: anything but a question about the demo  # flagged
        examples: ["can you do better"]
    everywhere:
      objection: {convey: Say that that is fine., go: sorry}

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo. Leave the price to a colleague.
        on:
          agreement: {go: email}

Tip: say what to do; a second sentence may say what to leave out.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from voiceflow_compiler.checks.base import Found, instructions, sentences
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF822"
NAME: Final = "negative-instruction"
SEVERITY: Final = "warning"

_NEGATIVE: Final = re.compile(
    r"\s*(please )?(don['’]t|do not|never|avoid|under no circumstances)\b"
    r"(?!.*[,;:]\s*\w)(?! (mind|forget|hesitate)\b)",
    re.IGNORECASE,
)
_TWICE: Final = re.compile(
    r"^\s*(unless|if (they|the caller|callers) (don['’]t|do not|didn['’]t|have not|haven['’]t))\b[^.]*,"
    r"\s*(don['’]t|do not|never)\b",
    re.IGNORECASE,
)
_BUT: Final = re.compile(
    r"^\s*(not |anything (but|except|other than)|everything (but|except))", re.IGNORECASE
)


@lru_cache(1 << 13)
def _negated(text: str) -> tuple[bool, bool]:
    """Whether a text says only what not to do, and whether it says by two negations when to do something."""
    parts = sentences(text)
    return all(map(_NEGATIVE.match, parts)), any(map(_TWICE.match, parts))


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every meaning to convey that is forbidden only or negated twice, and every intent that means a rest."""
    for line in instructions(flow, graph):
        if line.key != "convey":
            continue
        only, twice = _negated(line.text)
        if only:
            yield Found(
                line.place(places),
                f"{line.what} is told only what not to do",
                "Say what to do; a second sentence may say what to leave out.",
            )
        elif twice:
            yield Found(
                line.place(places),
                f"{line.what} is told by two negations when to do something",
                "Say when to do it: If they ..., do ...",
            )
    for intent in flow.intents.values():
        if not intent.built_in and _BUT.match(intent.means):
            yield Found(
                places.value((*intent.path, "means")),
                f"{intent.name} is told by what it is not, so callers are heard to mean it by chance",
                "Say what callers mean by it; what nothing else fits is `unclear` already.",
            )
