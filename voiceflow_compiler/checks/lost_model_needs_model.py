"""A plan for a lost model that needs the model.

Why: when the line to the speech model is gone, only exact words can be spoken and nobody can listen. A
meaning to convey is skipped, and a node that asks ends the call.

**Flagged**

    fallback:
      lost_model: {convey: Say that you have trouble and get a person., go: to_sales}  # flagged

**Flagged**

    fallback:
      lost_model: {say: One moment please., go: team}  # flagged

**Clean**

    fallback:
      lost_model: {say: "I'm sorry, I'm having trouble on my side.", go: to_sales}

Tip: write exact words with `say`, and lead to a person or to a goodbye.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, line_place, question_after
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF505"
NAME: Final = "lost-model-needs-model"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """A lost_model line without exact words, and a lost_model that leads to a node that listens."""
    lost = flow.fallback.lost_model
    if lost is None:
        return
    for line in (lost.line, flow.fallback.hold):
        if line is not None and line.say is None:
            yield Found(
                line_place(line, places),
                "a caller hears nothing when the model is lost: it cannot convey this any more",
                "Write the exact words with `say`.",
            )
    if lost.go is None:
        return
    name = question_after(graph, lost.go)
    if name is not None:
        yield Found(
            places.value((*lost.path, "go")),
            f'a caller whose model is lost comes to "{name}", which needs the model: the call ends there',
            "Lead to a person or to a goodbye.",
        )
