"""An action or a ringing for which a caller may wait longer than anybody does.

Why: after twenty seconds on a silent line callers hang up, whatever they were told before. Every retry
takes the whole time again.

**Flagged**

    actions:
      book_demo:
        does: Books a demo.
        takes: {email: slots.email}
        changes_something: true
        within_ms: 8000  # flagged
        retries: 3

**Flagged**

    handoffs:
      sales:
        mode: warm
        say: I'm connecting you with a colleague.
        package: [reason, summary, slots]
        timeout_ms: 120000  # flagged
        if_unanswered: goodbye

**Clean**

    actions:
      book_demo:
        does: Books a demo.
        takes: {email: slots.email}
        changes_something: true
        within_ms: 6000
        retries: 1

Tip: give it less time or fewer retries, and let `on_failure` lead to a person.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF802"
NAME: Final = "long-wait"
SEVERITY: Final = "warning"

_PATIENCE_MS: Final = 20_000
_RINGING_MS: Final = 60_000


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every action that may take more than twenty seconds with its retries, and every long ringing."""
    for action in flow.actions.values():
        longest = action.within_ms * (action.retries + 1)
        if longest > _PATIENCE_MS:
            tries = f", tried {action.retries + 1} times" if action.retries else ""
            yield Found(
                places.value((*action.path, "within_ms")),
                f'a caller may wait {longest / 1000:g} seconds for "{action.name}"{tries}',
                "Give it less time or fewer retries, and let `on_failure` lead to a person.",
            )
    for handoff in flow.handoffs.values():
        if handoff.timeout_ms > _RINGING_MS:
            yield Found(
                places.value((*handoff.path, "timeout_ms")),
                f'a caller may hear "{handoff.name}" ring for {handoff.timeout_ms / 1000:g} seconds',
                "Ring for half a minute, and let `if_unanswered` promise a call back.",
            )
