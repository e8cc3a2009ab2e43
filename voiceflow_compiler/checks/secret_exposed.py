"""A secret value in something that is spoken, shown to the model, or handed on.

Why: what is marked `secret` must reach the action that needs it and nobody else.

**Flagged**

    slots:
      email: {type: email, personal: true, meaning: where to write, secret: true}
    nodes:
      book:
        kind: act
        action: book_demo
        while_waiting: One moment, I'm writing to {email}.  # flagged
        on_success: goodbye
        on_failure: to_sales

**Flagged**

    slots:
      pin: {type: digits, meaning: their pin, by: keypad, secret: true, confirm: always}  # flagged
    nodes:
      team:
        kind: ask
        convey: Ask them to key in their pin.
        collect: [pin]
        filled: offer

**Clean**

    slots:
      pin: {type: digits, meaning: their pin, by: keypad, secret: true}
    nodes:
      email:
        kind: ask
        convey: Ask for the email address, and to key in the pin.
        collect: [email, pin]
        filled: book
    actions:
      book_demo:
        does: Books a demo.
        takes: {email: slots.email, pin: slots.pin}
        changes_something: true

Tip: leave it out of every text and of the package, and do not have it read back; an action may take it.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, named_in, spoken
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF707"
NAME: Final = "secret-exposed"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every placeholder of a secret slot or fact, every secret that a package names or that is read back."""
    secret = {
        *(slot.name for slot in flow.slots.values() if slot.secret),
        *(fact.name for fact in flow.facts.values() if fact.secret),
    }
    if not secret:
        return
    tip = "Leave it out; an action may take it."
    for line, _, what in spoken(flow, graph):
        for name, place in named_in(line, places):
            if name in secret:
                yield Found(place(), f'{what} gives away "{name}", which is secret', tip)
    for slot in flow.slots.values():
        if slot.secret and slot.confirm == "always":
            span = places.value((*slot.path, "confirm"))
            yield Found(
                span, f'"{slot.name}" is secret, and is to be read back aloud', "Say `confirm: never`."
            )
    for handoff in flow.handoffs.values():
        for at, entry in enumerate(handoff.package):
            if entry.partition(".")[2] in secret:
                span = places.value((*handoff.path, "package", at))
                yield Found(span, f'the package of "{handoff.name}" gives away {entry}, which is secret', tip)
