"""What the assistant is said to know about the caller, and what the flow reads about them, disagree.

Why: whether to give a call to an assistant was decided by what it knows. If it does not know it, the
decision was about another call.

**Flagged**

    suitability:
      structure: predictable
      stakes: low
      sensitivity: low
      information: none  # flagged

**Clean**

    suitability:
      structure: predictable
      stakes: low
      sensitivity: low
      information: partial

Tip: read what is needed under `caller_facts`, or answer the question as it is.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF805"
NAME: Final = "information-contradicts"
SEVERITY: Final = "warning"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """`information: full` without caller facts or look-ups, and `information: none` with caller facts."""
    asked = flow.suitability
    if asked is None:
        return
    looked_up = any(action.returns for action in flow.actions.values())
    if asked.information == "full" and not flow.facts and not looked_up:
        says = "the assistant is said to know everything about the caller, and nothing is read about them"
    elif asked.information == "none" and flow.facts:
        count = len(flow.facts)
        says = f"the assistant is said to know nothing about the caller, and reads {count} facts about them"
        says = says.replace("1 facts", "one fact")
    else:
        return
    yield Found(
        places.value((*asked.path, "information")),
        says,
        "Read what is needed under `caller_facts`, or answer the question as it is.",
    )
