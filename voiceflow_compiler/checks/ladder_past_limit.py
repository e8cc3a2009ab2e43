"""A ladder that is longer than a limit of the call lets callers climb.

Why: the limit ends the call first, and what the last rungs offer, most often a person, comes to no caller
who needs it.

**Flagged**

    limits: {no_progress: 2}
    fallback:
      no_match:
        - convey: Say that you did not catch it.
        - convey: Offer two choices.
        - go: to_sales  # flagged

**Clean**

    limits: {no_progress: 4}
    fallback:
      no_match:
        - convey: Say that you did not catch it.
        - convey: Offer two choices.
        - go: to_sales

Tip: raise the limit to the number of rungs, or take rungs away.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, ladders
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow, Ladder
from voiceflow_compiler.graph import Graph

CODE: Final = "VF507"
NAME: Final = "ladder-past-limit"
SEVERITY: Final = "warning"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """The first rung of every ladder that failures in a row do not come to; a silence is no turn."""
    for ladder, who in ladders(flow):
        bounds = {"no_progress": flow.limits.no_progress}
        if ladder.path[-1] == "no_match":
            bounds["turns"] = flow.limits.turns
        limit = min(bounds, key=bounds.__getitem__)
        if bounds[limit] < _climbed(ladder):
            yield Found(
                places.value(ladder.rungs[bounds[limit]].path),
                f"a caller {who} {bounds[limit] + 1} times in a row does not come to this rung: "
                f"`limits.{limit}` ends it after {bounds[limit]}",
                f"Write `{limit}: {_climbed(ladder)}` or more under `limits`, or take rungs away.",
            )


def _climbed(ladder: Ladder) -> int:
    """How many rungs callers are meant to climb: what follows a `go` is another finding."""
    ways = (index for index, rung in enumerate(ladder.rungs, 1) if rung.go is not None)
    return next(ways, len(ladder.rungs))
