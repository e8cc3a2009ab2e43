"""An action that says it changes something and is not marked as such.

Why: only an action with `changes_something: true` is sent with an idempotency key and kept from being done
twice.

**Flagged**

    actions:
      book_demo:
        does: Books a demo.  # flagged
        takes: {email: slots.email}

**Clean**

    actions:
      book_demo:
        does: Books a demo.
        takes: {email: slots.email}
        changes_something: true

Tip: say `changes_something: true`; if it only looks something up, begin `does` with what it does: "Finds".

Fix: `changes_something: true`.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, before, plain
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF703"
NAME: Final = "unmarked-change"
SEVERITY: Final = "warning"

_VERBS: Final = frozenset(
    """
    adds applies assigns books buys cancels changes charges closes creates deletes deposits enrols
    enrolls files grants moves notifies opens orders pays places posts puts refunds registers removes
    renews replaces reschedules reserves resets sells sends sets signs starts stops stores submits
    transfers unsubscribes updates withdraws writes
    """.split()  # noqa: SIM905 (a paragraph of words is easier to read)
)


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every unmarked action whose `does` begins with a verb of change (English only)."""
    for action in flow.actions.values():
        first = plain(action.does).partition(" ")[0]
        if not action.changes_something and first in _VERBS:
            yield Found(
                places.value((*action.path, "does")),
                f'"{action.name}" {first} something, but is not marked as changing anything: it may be '
                "done twice",
                "Say `changes_something: true`.",
                fix=before(places, (*action.path, "does"), "changes_something: true"),
            )
