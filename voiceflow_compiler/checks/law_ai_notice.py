"""A disclosure that does not say, in the flow's own language, what the law of a jurisdiction asks for at the
start: that the caller talks to an AI.

Why: where a law asks for it, it asks before anything else happens on the call. Words are known here in
English, German, French, Spanish, Italian, Dutch and Portuguese. This is not legal advice.

**Flagged**

    locale: de-DE
    jurisdictions: [eu]
    nodes:
      greeting:
        kind: disclosure
        say: Guten Tag, hier ist {company}. Das Gespräch wird aufgezeichnet. Ein Mensch ist da.  # flagged
        next: team

**Clean**

    locale: de-DE
    jurisdictions: [eu]
    nodes:
      greeting:
        kind: disclosure
        say: >-
          Guten Tag, hier ist der KI-Assistent von {company}. Das Gespräch wird aufgezeichnet. Ein Mensch
          ist da.
        next: team

Tip: say it in the first words; `vfc explain eu` shows the law, its date and its sources.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, line_place
from voiceflow_compiler.checks.base.disclosures import AI, disclosures, tells
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph
from voiceflow_compiler.jurisdictions import NOT_ADVICE, held_to

CODE: Final = "VF451"
NAME: Final = "law-ai-notice"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every disclosure without words for an AI, for each law that asks for them."""
    for pack, rule in held_to(flow.jurisdictions, "ai_at_start", advised=False):
        for node, text in disclosures(flow):
            if node.line is not None and not tells(AI, flow, text):
                yield Found(
                    line_place(node.line, places),
                    f'a caller in {pack.name} is not told by "{node.name}" that an AI is speaking '
                    f"({rule.title}; {NOT_ADVICE})",
                    f"Say it in the first words; `vfc explain {pack.key}` shows the law and its sources.",
                )
