"""A call that a person should take.

Why: where much is at stake, the matter is sensitive and the conversation does not follow a plan, callers
are better served by a person from the first word. These are the questions to ask before giving a call to an
assistant.

**Flagged**

    suitability:  # flagged
      structure: open
      stakes: elevated
      sensitivity: elevated
      information: partial

**Clean**

    suitability:
      structure: predictable
      stakes: elevated
      sensitivity: low
      information: full

Tip: let the assistant take the predictable part (who calls, about what) and hand the rest to a person.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF801"
NAME: Final = "suitability-says-human"
SEVERITY: Final = "warning"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Elevated stakes and sensitivity together with a conversation that is not predictable."""
    asked = flow.suitability
    if asked is None:
        return
    grave = asked.stakes == "elevated" and asked.sensitivity == "elevated"
    if grave and asked.structure in ("mixed", "open"):
        yield Found(
            places.key(asked.path),
            f"much is at stake, the matter is sensitive, and the conversation is {asked.structure}: a "
            "person should "
            "take this call",
            "Let the assistant take the predictable part and hand the rest to a person.",
        )
