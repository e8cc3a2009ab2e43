"""Exact words without a word in them.

Why: dots, dashes and pictures are not spoken. The caller hears silence, and says "hello?" into it.

**Flagged**

    nodes:
      goodbye: {kind: end, say: "...", outcome: done}  # flagged

**Clean**

    nodes:
      goodbye: {kind: end, say: Goodbye., outcome: done}

A fact that is blank for callers without a record leaves a hole in a sentence as well:

**Flagged**

    caller_facts:
      source: crm
      fields:
        account: {type: choice, choices: [none, trial, customer], otherwise: none}
        greeting_name: {type: text, otherwise: ""}
    nodes:
      goodbye:
        kind: end
        say: Goodbye, {greeting_name}.  # flagged
        outcome: done

Tip: write what is to be heard; give the fact an `otherwise` that sounds right in the sentence.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, line_place, named_in, seeking, spoken
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF826"
NAME: Final = "nothing-to-say"
SEVERITY: Final = "error"

_WORD: Final = seeking(r"[^\W_]")


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every exact line without a letter or a digit, and every placeholder of a fact that may be blank."""
    blank = {
        fact.name
        for fact in flow.facts.values()
        if isinstance(fact.otherwise, str) and not fact.otherwise.strip()
    }
    for line, _, what in spoken(flow, graph):
        if line.say is not None and not _WORD(line.say):
            yield Found(
                line_place(line, places), f"{what} is silence: there is no word in it", "Write words."
            )
        for name, place in named_in(line, places) if blank else ():
            if name in blank:
                yield Found(
                    place(),
                    f'{what} has a hole for a caller of whom "{name}" is not known',
                    f'Give "{name}" an `otherwise` that sounds right there, or decide by it first.',
                )
