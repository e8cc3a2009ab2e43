"""A secret that a caller is asked to say, and that nothing can take down.

Why: what is marked `secret` is kept from the speech model, so it is never heard. The caller says it, is
asked again, and comes nowhere; and everybody near them has heard it.

**Flagged**

    slots:
      email: {type: email, personal: true, meaning: where to write, secret: true}  # flagged

**Clean**

    slots:
      email: {type: email, personal: true, meaning: where to write}
      pin: {type: digits, meaning: their pin, by: keypad, secret: true, max_length: 4}
    nodes:
      email:
        kind: ask
        convey: Ask for the email address, and to key in the pin.
        collect: [email, pin]
        filled: book

Tip: let callers key it in with `by: keypad`, or do without it.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places, Related
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF712"
NAME: Final = "secret-never-heard"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every secret slot that a node collects and that is not keyed in."""
    for slot in flow.slots.values():
        if not slot.secret or slot.by_keypad:
            continue
        asking = [node for node in flow.nodes.values() if slot.name in node.collect]
        if asking:
            yield Found(
                places.key(slot.path),
                f'a caller cannot say "{slot.name}" at "{asking[0].name}": a secret is kept from the model '
                "that listens",
                "Let callers key it in with `by: keypad`.",
                (Related(places.key(asking[0].path), "it is asked for here"),),
                graph.route(asking[0].name),
            )
