"""An instruction that quotes the words it forbids.

Why: a model says what it reads. "Never say 'guaranteed'" puts the word into its mouth; callers then hear it
more often than without the rule.

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo. Never say "guaranteed".  # flagged
        on:
          agreement: {go: email}

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo. Speak of likely results only.
        on:
          agreement: {go: email}

Tip: say what to say instead.
"""

import re
from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, instructions, seeking
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF821"
NAME: Final = "quoted-forbidden-words"
SEVERITY: Final = "warning"

_QUOTED: Final = r"(\"[^\"]+\"|“[^”]+”|‘[^’]+’|(?<!\w)'[^']+'(?!\w))"
_FORBIDDEN: Final = seeking(
    r"\b(never|don['’]t|do not|must not|avoid|refrain from)\b(?:\s+(?:ever|just|the|words?|phrases?"
    r"|say|saying|use|using|mention|mentioning|promise|promising|answer|answering|tell|them|callers?|with))*"
    rf"\s+(?P<words>{_QUOTED})",
    re.IGNORECASE,
)


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every instruction with forbidden words in quotes."""
    for instruction in instructions(flow, graph):
        found = _FORBIDDEN(instruction.text)
        if found:
            yield Found(
                instruction.place(places),
                f"{instruction.what} forbids words by quoting them, so the model reads {found['words']} in "
                "every turn there",
                "Say what to say instead.",
            )
