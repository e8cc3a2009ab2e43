"""A handoff that nobody answers and that leads straight back to a handoff.

Why: the caller is put through, hears that nobody is free, and is put through again, without being asked.

**Flagged**

    nodes:
      sorry_nobody:
        kind: tell
        say: Let me try once more.
        next: to_sales
    handoffs:
      sales:
        mode: warm
        say: I'm connecting you with a colleague.
        package: [reason, summary, slots]
        if_unanswered: sorry_nobody  # flagged

A question whose answer is known is passed over, and is no question the second time:

**Flagged**

    slots:
      email: {type: email, personal: true, meaning: where to write}
      number: {type: phone, personal: true, meaning: where to call back}
    nodes:
      nobody:
        kind: ask
        convey: Say that nobody is free, and ask for a number to call back.
        collect: [number]
        filled: to_sales
    handoffs:
      sales:
        mode: warm
        say: I'm connecting you with a colleague.
        package: [reason, summary, slots]
        if_unanswered: nobody  # flagged

**Clean**

    nodes:
      sorry_nobody:
        kind: ask
        say: Nobody is free. Shall I try once more?
        on:
          agreement: {go: to_sales}
          objection: {go: goodbye}
        fallback:
          no_match:
            - say: Shall I try once more, yes or no?
            - go: goodbye
    handoffs:
      sales:
        mode: warm
        say: I'm connecting you with a colleague.
        package: [reason, summary, slots]
        if_unanswered: sorry_nobody

Tip: ask the caller, promise a call back, or say goodbye.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, along, quoted
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph, cycles, stops

CODE: Final = "VF604"
NAME: Final = "unanswered-handoff-loops"
SEVERITY: Final = "error"

# `filled` is among them: the second time round everything on the way is known and the caller is not asked.
_SILENT: Final = frozenset({"unanswered", "next", "case", "otherwise", "success", "failure", "filled"})


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """One cycle through an unanswered handoff that does not listen to the caller, from each knot."""
    for cycle in cycles(graph, via=lambda edge: edge.kind in _SILENT and edge.source in graph.reached):
        unanswered = next((edge for edge in cycle if edge.kind == "unanswered"), None)
        if unanswered is not None:
            yield Found(
                places.value(unanswered.path),
                f"a caller whom nobody answers is put through again and again: {quoted(stops(cycle)[1:])}",
                "Ask the caller what to do, promise a call back, or say goodbye.",
                along(cycle, places),
                (*graph.route(cycle[0].source), *stops(cycle)[1:]),
            )
