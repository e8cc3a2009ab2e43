"""A way for a caller to be spoken to, or for something to be done, before the disclosure was heard.

Why: a caller must know that this is an AI, and that the call is recorded, before anything else happens. One
way past the disclosure is enough to break that promise, and often the law.

**Flagged**

    start: route
    nodes:
      route:
        kind: decide
        cases:
          - {if: facts.account == 'customer', go: team}
        otherwise: greeting
      team:  # flagged
        kind: ask
        convey: Ask how many people would use it.
        collect: [team_size]
        filled: offer

**Clean**

    start: route
    nodes:
      route:
        kind: decide
        cases:
          - {if: facts.account == 'customer', go: greeting_known}
        otherwise: greeting
      greeting_known:
        kind: disclosure
        say: Welcome back. I'm the AI of {company}. This call is recorded. You can ask for a person.
        next: team

Tip: lead every way through a `disclosure` node first; a `decide` may stand before it.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, along
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Edge, Graph, reach, stops, way

CODE: Final = "VF401"
NAME: Final = "undisclosed-path"
SEVERITY: Final = "error"

_BOUNDS: Final = frozenset({"lost_model", "limit"})  # the engine plays the disclosure to its end before these


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """The first node on each way past the disclosure where a caller hears or gets something."""

    def before_it(edge: Edge) -> bool:
        return graph.nodes[edge.source].kind == "decide" and edge.kind not in _BOUNDS

    exists = any(node.kind == "disclosure" for node in flow.nodes.values())
    disclosures = [node.name for node in flow.nodes.values() if node.kind == "disclosure"]
    tip = (
        f'Lead this way through "{disclosures[0]}" first, or through another `disclosure` node.'
        if exists
        else "Write a node of kind `disclosure` and let the flow `start` there."
    )
    tree = reach(graph, [flow.start], via=before_it)
    for name in tree:
        if graph.nodes[name].kind not in ("decide", "disclosure"):
            steps = way(tree, name)
            yield Found(
                places.key(graph.nodes[name].path),
                f'a caller can reach "{name}" without hearing the disclosure',
                tip,
                along(steps, places),
                stops(steps) or (name,),
            )
