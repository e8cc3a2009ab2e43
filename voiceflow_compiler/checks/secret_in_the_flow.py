"""A secret compared with something that stands in the flow.

Why: a pin that is written in a flow is known to everybody who can read the flow, its picture and its call
records. Whoever checks it should be the one who keeps it.

**Flagged**

    slots:
      pin: {type: digits, meaning: their pin, by: keypad, secret: true, max_length: 4}
    nodes:
      email:
        kind: ask
        convey: Ask for the email address, and to key in the pin.
        collect: [email, pin]
        filled: right
      right:
        kind: decide
        cases:
          - {if: "slots.pin == '4711'", go: book}  # flagged
        otherwise: to_sales

**Clean**

    slots:
      pin: {type: digits, meaning: their pin, by: keypad, secret: true, max_length: 4}
    nodes:
      email:
        kind: ask
        convey: Ask for the email address, and to key in the pin.
        collect: [email, pin]
        filled: right
      right:
        kind: act
        action: check_pin
        while_waiting: One moment.
        on_success: book
        on_failure: to_sales
    actions:
      check_pin:
        does: Compares the pin with the caller's own.
        takes: {pin: slots.pin}
        within_ms: 2000

Tip: let an action take the secret and say whether it is right.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from voiceflow_compiler.artifact import Expr
from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF710"
NAME: Final = "secret-in-the-flow"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every case and trigger that compares a secret slot or fact with a text or a number."""
    secret = {
        *(("slots", slot.name) for slot in flow.slots.values() if slot.secret),
        *(("facts", fact.name) for fact in flow.facts.values() if fact.secret),
    }
    if not secret:
        return
    cases = (case.when for node in flow.nodes.values() for case in node.cases)
    for when in chain(cases, (trigger.when for trigger in flow.triggers)):
        name = next((name for name in _compared(when.expr) if name in secret), None)
        if name is not None:
            yield Found(
                places.value(when.path),
                f'everybody who reads this flow learns what "{name[1]}" may be, which is secret',
                "Let an action take it and say whether it is right.",
            )


def _compared(expr: Expr | None) -> Iterator[tuple[str, str]]:
    """The names that a condition compares with what is written beside them (true and false tell nothing)."""
    waiting: list[Any] = [expr]
    while waiting:
        match waiting.pop():
            case ["==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in", *sides]:
                names = [side for side in sides if side[:1] == ["name"]]
                written = [side for side in sides if side[:1] in (["value"], ["list"])]
                if names and any(not isinstance(side[1], bool) for side in written):
                    yield str(names[0][1]), str(names[0][2])
            case [str(), *parts]:
                waiting.extend(part for part in parts if isinstance(part, list))
