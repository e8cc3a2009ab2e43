"""The flow as one of its files sees it: without its subflows' names, or, from a subflow's file, in those."""

from dataclasses import replace
from typing import Any

from voiceflow_compiler.flow import Flow, Node
from voiceflow_compiler.pipeline import Loaded
from voiceflow_compiler.subflow import section


def seen_from(loaded: Loaded, path: str) -> tuple[Flow | None, Any]:
    """The flow with the names that may be written in a file, and the plain data of that file."""
    flow, whole, data = loaded.flow, loaded.whole, loaded.source.data
    if flow is None or whole is None or not whole.uses:
        return flow, data
    use = next((each for each in whole.uses.values() if each.source.file == path), None)
    if use is None:
        return replace(
            flow,
            nodes={name: part for name, part in flow.nodes.items() if ("nodes", name) not in whole.owners},
            slots={name: part for name, part in flow.slots.items() if ("slots", name) not in whole.owners},
            actions={
                name: part for name, part in flow.actions.items() if ("actions", name) not in whole.owners
            },
        ), data
    own = use.source.data
    given = section(use.written, "slots")
    slots = {name: flow.slots.get(str(given.get(name, use.own(name)))) for name in section(own, "slots")}
    actions = {name: flow.actions.get(use.own(name)) for name in section(own, "actions")}
    nodes = {name: flow.nodes.get(use.node_named(name)) for name in section(own, "nodes")}
    ways = {name: Node(name, ("exits", name), "end") for name in section(own, "exits")}
    scoped = replace(
        flow,
        nodes={name: replace(node, name=name) for name, node in nodes.items() if node is not None} | ways,
        slots={name: replace(slot, name=name) for name, slot in slots.items() if slot is not None},
        actions={name: replace(each, name=name) for name, each in actions.items() if each is not None},
        handoffs={},
        facts={},
    )
    return scoped, own
