"""No plan for a caller who is not understood, who says nothing, or whose line to the model is lost.

Why: all three happen in every hundred calls. Without a ladder the caller hears nothing, or the same
question for ever.

**Flagged**

    nodes:
      team:  # flagged
        kind: ask
        convey: Ask how many people would use it.
        collect: [team_size]
        filled: offer
    fallback:
      no_input: null

**Clean**

    fallback:
      no_input:
        after_ms: 6000
        steps:
          - say: Are you still there?
          - go: goodbye

Tip: write `no_match`, `no_input` and `lost_model` under the flow's `fallback`; a node may have its own.
"""

from collections.abc import Iterator
from typing import Final, Literal

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places, Related
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph, ladder_at

CODE: Final = "VF501"
NAME: Final = "missing-ladder"
SEVERITY: Final = "error"

_CAUSES: Final[tuple[tuple[Literal["no_match", "no_input"], str], ...]] = (
    ("no_match", "who is not understood"),
    ("no_input", "who says nothing"),
)


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """For each cause one finding at the first node without a ladder; and a missing `lost_model`."""
    listening = [node for node in flow.nodes.values() if node.listens]
    for cause, who in _CAUSES:
        without = [node for node in listening if ladder_at(flow, node, cause) is None]
        if without:
            first, *others = without
            more = f" and {len(others)} other node{'s' if len(others) > 1 else ''}" if others else ""
            yield Found(
                places.key(first.path),
                f'nothing is planned for a caller {who} at "{first.name}"{more}',
                f"Write a `{cause}` ladder under the flow's `fallback`, with a last rung that says `go`.",
                tuple(Related(places.key(node.path), f'"{node.name}" too') for node in others[:3]),
                graph.route(first.name),
            )
    if flow.fallback.lost_model is None:
        yield Found(
            places.key(flow.fallback.path or ("start",)),
            "nothing is planned for a caller when the line to the speech model is lost",
            "Write under `fallback`: lost_model: {say: One moment please., go: NODE}.",
        )
