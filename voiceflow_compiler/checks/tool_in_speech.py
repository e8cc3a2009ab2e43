"""A meaning to convey that names a tool of the model.

Why: when to report and when to look something up is the engine's to say. A line that orders it calls the
tool at the wrong time, or has it spoken of: "I'm now calling take turn".

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo, then call take_turn.  # flagged
        on:
          agreement: {go: email}

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}

Tip: say what the caller should hear. A node of kind `act` runs an action.
"""

import re
from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, instructions
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF825"
NAME: Final = "tool-in-speech"
SEVERITY: Final = "warning"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every instruction with `take_turn` or an action's name that is no plain word."""
    names = ["take_turn", *(name for name in flow.actions if "_" in name)]
    pattern = re.compile(rf"(?<![\w{{.])({'|'.join(map(re.escape, names))})\b(?![.}}]\w)")
    for line in instructions(flow, graph):
        found = pattern.search(line.text) if "_" in line.text else None
        if found:
            yield Found(
                line.place(places),
                f'{line.what} names "{found[0]}", a tool that callers must not hear of',
                "Say what the caller should hear; a node of kind `act` runs an action.",
            )
