"""A limit of the call that leads to a question.

Why: past its limits a call has one more way to go, and no more turns. A question there is asked, and the
caller is cut off in the middle of the answer, without a goodbye.

**Flagged**

    limits: {turns: 40, go: offer}  # flagged

**Clean**

    limits: {turns: 40, go: to_sales}

Tip: lead to a person or to a goodbye.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, question_after
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF506"
NAME: Final = "limit-leads-to-question"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """A `limits.go` from which a caller comes to a node that listens before anybody takes the call."""
    if flow.limits.go is None:
        return
    name = question_after(graph, flow.limits.go)
    if name is not None:
        yield Found(
            places.value((*flow.limits.path, "go")),
            f'a caller who reaches a limit is asked something at "{name}", and cut off while answering',
            "Lead to a person or to a goodbye.",
        )
