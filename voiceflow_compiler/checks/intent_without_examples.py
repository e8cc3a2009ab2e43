"""An intent without an example sentence.

Why: examples are how the assistant, the rehearsal and the tests know what callers say. A description alone
is guessed at.

**Flagged**

    intents:
      too_expensive: {family: objection, means: the price worries them}  # flagged

**Clean**

    intents:
      too_expensive: {family: objection, means: the price worries them, examples: ["that's too much"]}

Tip: write three to five sentences as callers say them.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF304"
NAME: Final = "intent-without-examples"
SEVERITY: Final = "warning"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every intent of the flow's own without examples."""
    for intent in flow.intents.values():
        if not intent.built_in and not intent.examples:
            yield Found(
                places.key(intent.path),
                f"the intent {intent.name} has no example of what a caller says",
                "Write three to five sentences under `examples`, as callers say them.",
            )
