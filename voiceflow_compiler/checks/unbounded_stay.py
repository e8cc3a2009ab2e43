"""An objection, a confusion or a request for a person that is answered in the same way for ever.

Why: `stay` without `at_most` gives a caller who does not follow the same answer again and again.

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}
          what_is_this: {convey: Say it in simpler words., stay: true}  # flagged

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}
          what_is_this: {convey: Say it in simpler words., stay: true, at_most: 2, then: to_sales}

Tip: say `at_most`, and with `then` where the caller goes after that; without `then` the no-match ladder
takes over.

Fix: `at_most: 2`.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from voiceflow_compiler.checks.base import Found, before
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import PROGRESS, Graph, family_of

CODE: Final = "VF206"
NAME: Final = "unbounded-stay"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every answer that stays without a bound, agreement and answers apart: these are progress."""
    written = ((f'at "{node.name}"', node.on.values()) for node in flow.nodes.values())
    for where, answers in chain(written, [("everywhere", flow.everywhere.values())]):
        for answer in answers:
            if answer.stay and answer.at_most is None and family_of(flow, answer.key) not in PROGRESS:
                yield Found(
                    places.key(answer.path),
                    f"a caller who says {answer.key} {where} again and again gets the same answer for ever",
                    "Say `at_most: 2`, and with `then` where the caller goes after that.",
                    fix=before(places, (*answer.path, "stay"), "at_most: 2"),
                )
