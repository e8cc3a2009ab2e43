"""An own answer to "are you human?" that does not say what is speaking.

Why: where a law asks for the truth when a caller wants to know, an answer that goes round the question
breaks it. The built-in answer tells the truth. This is not legal advice.

**Flagged**

    jurisdictions: [us-ut]
    everywhere:
      are_you_human: {say: "I'm here to help you with the demo.", stay: true, at_most: 2}  # flagged

**Clean**

    jurisdictions: [us-ut]
    everywhere:
      are_you_human: {say: "I'm an AI assistant, not a person.", stay: true, at_most: 2}

Tip: say "I'm an AI assistant", or leave the answer to the built-in one.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from voiceflow_compiler.checks.base import Found, line_place
from voiceflow_compiler.checks.base.disclosures import AI, NOT_HUMAN, tells
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph, family_of
from voiceflow_compiler.jurisdictions import NOT_ADVICE, held_to

CODE: Final = "VF452"
NAME: Final = "law-honest-answer"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every written answer to the question that tells neither that it is an AI nor that it is no human."""
    rules = held_to(flow.jurisdictions, "honest_when_asked", advised=False)
    if not rules:
        return
    pack, rule = rules[0]
    own = ((f' at "{node.name}"', node.on) for node in flow.nodes.values())
    for where, answers in chain(own, [("", flow.everywhere)]):
        for answer in answers.values():
            if family_of(flow, answer.key) != "identity":
                continue
            told = " ".join(filter(None, (answer.line.say, answer.line.convey))) if answer.line else ""
            if told and (tells(AI, flow, told) or tells(NOT_HUMAN, flow, told)):
                continue
            yield Found(
                line_place(answer.line, places) if answer.line else places.key(answer.path),
                f"a caller in {pack.name} who asks{where} whether this is a human is not told ({rule.title}; "
                f"{NOT_ADVICE})",
                'Say "I\'m an AI assistant", or leave the answer to the built-in one.',
            )
