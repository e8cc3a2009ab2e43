"""A ladder longer than callers bear.

Why: after two or three reprompts callers hang up or get angry. A silence of more than twenty seconds sounds
like a line that is dead.

**Flagged**

    fallback:
      no_match:  # flagged
        - convey: Say that you did not catch it.
        - convey: Ask in other words.
        - convey: Offer two choices.
        - convey: Ask for one word only.
        - go: to_sales

**Clean**

    fallback:
      no_match:
        - convey: Say that you did not catch it.
        - convey: Offer two choices.
        - go: to_sales

Tip: two reprompts and then a person is what most callers accept.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, ladders
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF503"
NAME: Final = "long-ladder"
SEVERITY: Final = "warning"

_RUNGS: Final = 4
_SILENCE_MS: Final = 20_000


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every ladder of more than four rungs, and every silence of more than twenty seconds."""
    for ladder, who in ladders(flow):
        if len(ladder.rungs) > _RUNGS:
            yield Found(
                places.key(ladder.path),
                f"a caller {who} is asked again {len(ladder.rungs) - 1} times before anything else happens",
                "Lead to a person or a goodbye after two or three reprompts.",
            )
        if ladder.after_ms > _SILENCE_MS:
            yield Found(
                places.value((*ladder.path, "after_ms")),
                f"a caller {who} hears nothing for {ladder.after_ms / 1000:g} seconds",
                "Ask again after six seconds or so.",
            )
