"""A reprompt that says the same words as one before it on the same ladder.

Why: a caller who did not know what to say the first time does not know it the second time. Other words help.

**Flagged**

    fallback:
      no_input:
        after_ms: 6000
        steps:
          - say: Are you still there?
          - say: Are you still there?  # flagged
          - go: goodbye

**Clean**

    fallback:
      no_input:
        after_ms: 6000
        steps:
          - say: Are you still there?
          - say: You can also just say yes or no.
          - go: goodbye

Tip: give an example answer, or offer two choices.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, ladders, plain
from voiceflow_compiler.diagnostics import Path, Places, Related
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF504"
NAME: Final = "repeated-reprompt"
SEVERITY: Final = "warning"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every rung with the words of an earlier one, capitals and punctuation apart."""
    for ladder, who in ladders(flow):
        seen: dict[str, Path] = {}
        for rung in ladder.rungs:
            words = plain(rung.line.text) if rung.line else ""
            if words and words in seen:
                yield Found(
                    places.value(rung.path),
                    f"a caller {who} hears the same words twice",
                    "Say it in other words: give an example answer, or offer two choices.",
                    (Related(places.value(seen[words]), "the same words"),),
                )
            seen.setdefault(words, rung.path)
