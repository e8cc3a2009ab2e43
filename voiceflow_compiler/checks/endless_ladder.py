"""A ladder whose last rung leads nowhere.

Why: the caller is asked again and again for ever, though it is plain that this does not help.

**Flagged**

    fallback:
      no_match:
        - convey: Say that you did not catch it.
        - convey: Offer two choices.  # flagged

**Clean**

    fallback:
      no_match:
        - convey: Say that you did not catch it.
        - convey: Offer two choices.
        - go: to_sales

Tip: end it with `go`, to a person or to a goodbye.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from voiceflow_compiler.checks.base import Found, ladders
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF502"
NAME: Final = "endless-ladder"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every ladder whose last rung has no `go`, and every rung after one that has."""
    for ladder, who in ladders(flow):
        if ladder.rungs and ladder.rungs[-1].go is None:
            yield Found(
                places.value(ladder.rungs[-1].path),
                f"a caller {who} is asked again for ever: the last rung leads nowhere",
                "End the ladder with a rung that says `go`, to a person or to a goodbye.",
            )
        for rung, following in pairwise(ladder.rungs):
            if rung.go is not None:
                yield Found(
                    places.value(following.path),
                    f'no caller {who} ever comes to this rung: the one before it leads to "{rung.go}"',
                    "Move the rung with `go` to the end, or delete what follows it.",
                )
                break
