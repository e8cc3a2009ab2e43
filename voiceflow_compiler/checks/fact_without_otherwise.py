"""A fact about the caller without a value for when it is missing.

Why: now and then the records cannot be reached, or do not know the caller. The call goes on, and needs
something to go on with.

**Flagged**

    caller_facts:
      fields:
        account: {type: choice, choices: [none, customer]}  # flagged

**Clean**

    caller_facts:
      fields:
        account: {type: choice, choices: [none, customer], otherwise: none}

Tip: give it an `otherwise` that is true of an unknown caller.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF706"
NAME: Final = "fact-without-otherwise"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every fact without `otherwise`."""
    for fact in flow.facts.values():
        if fact.otherwise is None:
            yield Found(
                places.key(fact.path),
                f'nothing stands in for "{fact.name}" when the records do not know the caller',
                "Give it an `otherwise` that is true of an unknown caller.",
            )
