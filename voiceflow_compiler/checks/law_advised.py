"""A disclosure that leaves out what careful companies say in a jurisdiction, though no settled law asks it.

Why: some laws are argued about, proposed, or worded so that other words are safer. Saying one sentence more
costs two seconds. This is not legal advice.

**Flagged**

    jurisdictions: [us-me]
    nodes:
      greeting:
        kind: disclosure
        say: I'm an AI assistant from {company}. This call is recorded. A person can take over.  # flagged
        next: team

**Clean**

    jurisdictions: [us-me]
    nodes:
      greeting:
        kind: disclosure
        say: I'm an AI assistant from {company}, not a human. This call is recorded. A person can take over.
        next: team

Tip: `vfc explain us-me` shows what is known, how certain it is, and from where.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, line_place
from voiceflow_compiler.checks.base.disclosures import (
    AI,
    NOT_HUMAN,
    RECORDED,
    TRANSCRIBED,
    disclosures,
    tells,
)
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph
from voiceflow_compiler.jurisdictions import NOT_ADVICE, held_to

CODE: Final = "VF454"
NAME: Final = "law-advised"
SEVERITY: Final = "warning"

# duty -> the words that fulfil it, what a caller is not told, whether it is about recorded calls only
_DUTIES: Final = {
    "ai_at_start": (AI, "that an AI is speaking", False),
    "not_human_at_start": (NOT_HUMAN, "that no human is speaking", False),
    "recording_notice": (RECORDED, "that the call is recorded", True),
    "transcription_notice": (TRANSCRIBED, "that what they say is transcribed", False),
}


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every disclosure without words that are advised in one of the flow's jurisdictions."""
    for duty, (words, what, recorded_only) in _DUTIES.items():
        for pack, rule in held_to(flow.jurisdictions, duty, advised=True):
            if recorded_only and not flow.recorded:
                continue
            for node, text in disclosures(flow):
                if node.line is not None and not tells(words, flow, text):
                    yield Found(
                        line_place(node.line, places),
                        f'a caller in {pack.name} is not told by "{node.name}" {what} ({rule.title}; '
                        f"certainty: {rule.certainty}; {NOT_ADVICE})",
                        f"Say so; `vfc explain {pack.key}` shows what is known and from where.",
                    )
