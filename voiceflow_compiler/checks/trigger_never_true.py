"""A handoff trigger that can never hold.

Why: it was written to bring a person in, and it never will.

**Flagged**

    handoff_triggers:
      - {when: turn.no_progress_in_a_row >= 9, to: sales, reason: the call leads nowhere}  # flagged

**Clean**

    handoff_triggers:
      - {when: turn.no_progress_in_a_row >= 4, to: sales, reason: the call leads nowhere}

Tip: compare it with the limits of the call, with the families of your intents, and with the choices of what
it names."""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, conditions
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF605"
NAME: Final = "trigger-never-true"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every trigger whose condition contradicts itself, the limits, or what its names can be."""
    known = conditions.domains(flow)
    for trigger in flow.triggers:
        if conditions.never_true(trigger.when.expr, flow, known):
            yield Found(
                places.value(trigger.when.path),
                f'no call ever brings in "{trigger.to}" here: `{trigger.when.text}` never holds',
                "Compare it with the limits of the call, your intents, and the choices of what it names.",
            )
