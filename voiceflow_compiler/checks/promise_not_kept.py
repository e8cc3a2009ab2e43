"""A handoff that promises the caller more than its package can keep.

Why: "I've shared everything" followed by "so, what is it about?" is what callers hate most. A cold transfer
shares nothing, and a package without a summary or the transcript does not share everything.

**Flagged**

    handoffs:
      sales:
        mode: cold
        say: I'm connecting you now. I've shared everything, so you won't need to repeat yourself.  # flagged
        if_unanswered: goodbye

**Clean**

    handoffs:
      sales:
        mode: cold
        say: I'm connecting you now. They will ask you a few questions again.
        if_unanswered: goodbye

Tip: make the transfer `warm` and put `summary` or `transcript` into its package, or promise less.
"""

import re
from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, line_place, plain
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF603"
NAME: Final = "promise-not-kept"
SEVERITY: Final = "error"

_SHARED: Final = re.compile(
    r"\b(i've|i have|we've|we have|i|i'll|i will) (already )?"
    r"(shared?|passed (it|this|that|everything|your)|passed on|pass on|told them|given them)\b"
    r"|\b(has|have|with|gets?|sees?) (all )?(of )?(my|our|your|the|these) (notes|details|answers)\b"
    r"|\b(won't|don't|needn't|will not|do not) (need |have )?(to )?"
    r"(repeat|start over|explain (it|everything))\b"
    r"|\bknows? (already )?(what|everything) (we|you)\b"
)


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every handoff line with words of sharing whose mode or package shares nothing of the conversation."""
    for handoff in flow.handoffs.values():
        promise = _SHARED.search(plain(handoff.line.text))
        if promise is None:
            continue
        if handoff.mode == "cold":
            why = "a cold transfer shares nothing"
        elif not {"summary", "transcript", "slots"} & set(handoff.package):
            why = "its package holds nothing of the conversation"
        else:
            continue
        yield Found(
            line_place(handoff.line, places),
            f'the handoff "{handoff.name}" promises the caller "{promise[0]}", but {why}',
            "Make it `warm` with a package of [reason, summary, slots], or promise less.",
        )
