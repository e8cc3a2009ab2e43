"""A call that is recorded without telling a caller whose law asks everybody to agree.

Why: where all parties must consent, a recording without a notice is an offence. Words are known here in
English, German, French, Spanish, Italian, Dutch and Portuguese. This is not legal advice.

**Flagged**

    locale: es-US
    jurisdictions: [us-wa]
    nodes:
      greeting:
        kind: disclosure
        say: Hola, soy la asistente virtual de {company}. Puede pedir hablar con una persona.  # flagged
        next: team

**Clean**

    locale: es-US
    jurisdictions: [us-wa]
    nodes:
      greeting:
        kind: disclosure
        say: >-
          Hola, soy la asistente virtual de {company}. Esta llamada será grabada. Puede pedir una persona.
        next: team

Tip: say that the call is recorded before anything else, or say `recorded: false`.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, line_place
from voiceflow_compiler.checks.base.disclosures import RECORDED, disclosures, tells
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph
from voiceflow_compiler.jurisdictions import NOT_ADVICE, held_to

CODE: Final = "VF453"
NAME: Final = "law-recording-notice"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every disclosure of a recorded flow without words for it, for each law that asks for consent."""
    if not flow.recorded:
        return
    for pack, rule in held_to(flow.jurisdictions, "recording_notice", advised=False):
        for node, text in disclosures(flow):
            if node.line is not None and not tells(RECORDED, flow, text):
                yield Found(
                    line_place(node.line, places),
                    f'a caller in {pack.name} is not told by "{node.name}" that the call is recorded '
                    f"({rule.title}; {NOT_ADVICE})",
                    "Say that the call is recorded before anything else, or say `recorded: false`.",
                )
