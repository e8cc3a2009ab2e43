"""A handoff that does not say where the caller goes when nobody answers.

Why: now and then nobody does. The caller must not be left with a ringing tone or a dead line.

**Flagged**

    handoffs:
      sales:  # flagged
        mode: warm
        say: I'm connecting you with a colleague.
        package: [reason, summary, slots]

**Clean**

    handoffs:
      sales:
        mode: warm
        say: I'm connecting you with a colleague.
        package: [reason, summary, slots]
        if_unanswered: goodbye

Tip: say `if_unanswered: NODE`, a node that offers a call back or says goodbye.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF606"
NAME: Final = "unanswered-without-way"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every handoff without `if_unanswered`."""
    for handoff in flow.handoffs.values():
        if handoff.if_unanswered is None:
            yield Found(
                places.key(handoff.path),
                f'a caller whom nobody at "{handoff.name}" answers has no way on',
                "Say `if_unanswered: NODE`, a node that offers a call back or says goodbye.",
            )
