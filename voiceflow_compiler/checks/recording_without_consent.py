"""A recorded call that goes on before the caller has agreed to be recorded.

Why: where the law asks everybody to agree, staying on the line after a notice is often taken for consent,
and not everywhere. Careful companies ask, go on only after a yes, and lead who says no to a person or an
end. This is not legal advice.

**Flagged**

    jurisdictions: [us-fl]
    nodes:
      team:  # flagged
        kind: ask
        convey: Ask how many people would use it.
        collect: [team_size]
        filled: offer

**Clean**

    jurisdictions: [us-fl]
    nodes:
      greeting:
        kind: disclosure
        say: I'm an AI assistant from {company}. This call is recorded. You can ask for a person at any time.
        next: consent
      consent:
        kind: ask
        say: Is it all right with you that we record the call?
        on:
          agreement: {go: team}
          denial: {go: to_sales}

**Clean**

    jurisdictions: [us-fl]
    recorded: false

Tip: ask after the disclosure whether recording is fine, in an `ask` that an agreement leads on from, or say
`recorded: false`.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, node_place
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph, reach, stops, way
from voiceflow_compiler.jurisdictions import NOT_ADVICE, held_to

CODE: Final = "VF455"
NAME: Final = "recording-without-consent"
SEVERITY: Final = "warning"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """The first node that asks for something or does something without a yes or a key before it."""
    held = held_to(flow.jurisdictions, "recording_consent", advised=True) if flow.recorded else []
    if not held:
        return
    tree = reach(graph, [flow.start], via=lambda edge: edge.family not in ("agreement", "key"))
    node = next((name for name in tree if graph.nodes[name].collect or graph.nodes[name].kind == "act"), None)
    if node is None or node not in flow.nodes:
        return
    for pack, rule in held:
        yield Found(
            node_place(graph, node, places),
            f'a caller in {pack.name} comes to "{node}" without having agreed to be recorded ({rule.title}; '
            f"certainty: {rule.certainty}; {NOT_ADVICE})",
            "Ask first, in an `ask` that an agreement leads on from, or say `recorded: false`.",
            route=stops(way(tree, node)) or (node,),
        )
