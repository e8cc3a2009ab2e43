"""An intent that nothing answers and no condition asks about.

Why: the assistant listens for it, and then nothing happens. It makes the other intents harder to tell apart.

**Flagged**

    intents:
      wants_discount:  # flagged
        family: objection
        means: wants a lower price
        examples: ["can you do better"]

**Clean**

    intents:
      wants_discount:
        family: objection
        means: wants a lower price
        examples: ["can you do better"]
    everywhere:
      wants_discount: {convey: Say that prices are the same for everybody., go: sorry}

Tip: answer it under `on` or `everywhere`, or delete it.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF303"
NAME: Final = "unused-intent"
SEVERITY: Final = "warning"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every intent of the flow's own that neither answers nor conditions name, by itself or by its family."""
    used = set(flow.everywhere).union(*(node.on for node in flow.nodes.values())) | set(_asked(flow))
    if any(node.collect for node in flow.nodes.values()):
        used.add("agreement")  # settles a value that is read back
    for intent in flow.intents.values():
        if not intent.built_in and not used & {intent.name, intent.family}:
            yield Found(
                places.key(intent.path),
                f"nothing happens when a caller means {intent.name}: no answer and no condition names it",
                "Answer it under `on` or `everywhere`, by its name or by its family, or delete it.",
            )


def _asked(flow: Flow) -> Iterator[str]:
    """The names and families of intents that conditions compare with."""
    cases = (case.when.expr for node in flow.nodes.values() for case in node.cases)
    waiting: list[Any] = list(chain(cases, (trigger.when.expr for trigger in flow.triggers)))
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, str):
            yield part
