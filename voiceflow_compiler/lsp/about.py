"""What can be said of a name or a rule, as Markdown: shown beside the cursor and beside a completion."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from voiceflow_compiler.flow import Action, Fact, Flow, Handoff, Intent, Line, Node, Slot

_BUILT_IN: Final = "built in: every flow has it"


def about(flow: Flow, kind: str, name: str) -> str:
    """What a flow says of one of its names; empty when it does not know it."""
    teller = _TELLERS.get(kind)
    return "\n\n".join(teller(flow, name)) if teller is not None else ""


def page(code: str) -> str:
    """The page of a finding's code; empty for a code nobody knows."""
    from voiceflow_compiler.rules import rule
    from voiceflow_compiler.rules.pages import markdown

    found = rule(code)
    return f"### {code} {found.name}\n\n{markdown(found)}" if found is not None else ""


def brief(flow: Flow, node: Node) -> str:
    """What the model is told at a node, as compiled."""
    if node.kind == "decide":
        return ""
    from voiceflow_compiler.prompts import brief as compiled  # jinja2 is behind it

    return f"What the model is told here:\n\n```text\n{compiled(flow, node)}\n```"


def _node(flow: Flow, name: str) -> Iterator[str]:
    node = flow.nodes.get(name)
    if node is None:
        return
    yield f"**{name}** ({node.kind} node)"
    yield from _line(node.line or node.while_waiting)
    if node.collect:
        yield f"collects {', '.join(f'`{slot}`' for slot in node.collect)}"
    if told := brief(flow, node):
        yield told


def _slot(flow: Flow, name: str) -> Iterator[str]:
    slot: Slot | None = flow.slots.get(name)
    if slot is None:
        return
    marks = [slot.type, *(word for word in ("personal", "secret") if getattr(slot, word))]
    yield f"**{name}** (slot, {', '.join(marks)})"
    yield slot.meaning
    if slot.choices:
        yield f"one of {', '.join(f'`{choice}`' for choice in slot.choices)}"


def _fact(flow: Flow, name: str) -> Iterator[str]:
    fact: Fact | None = flow.facts.get(name)
    if fact is None:
        return
    marks = [fact.type, *(word for word in ("personal", "secret") if getattr(fact, word))]
    yield f"**{name}** (caller fact, {', '.join(marks)})"
    if fact.choices:
        yield f"one of {', '.join(f'`{choice}`' for choice in fact.choices)}"
    if fact.otherwise is not None:
        yield f"otherwise `{fact.otherwise}`"


def _intent(flow: Flow, name: str) -> Iterator[str]:
    intent: Intent | None = flow.intents.get(name)
    members = [each.name for each in flow.intents.values() if each.family == name and each.name != name]
    if intent is not None:
        yield f"**{name}** (intent, {intent.family})"
        yield f"the caller {intent.means}" if intent.built_in else intent.means
        if intent.examples:
            yield "\n".join(f"- {example}" for example in intent.examples[:8])
        if intent.built_in:
            yield _BUILT_IN
    if members:
        listed = ", ".join(f"`{member}`" for member in members)
        yield f"the family **{name}**: {listed}"


def _action(flow: Flow, name: str) -> Iterator[str]:
    action: Action | None = flow.actions.get(name)
    if action is None:
        return
    yield f"**{name}** (action{', changes something' if action.changes_something else ''})"
    yield action.does
    if action.takes:
        taken = (f"`{argument}`: `{value.text}`" for argument, value in action.takes.items())
        yield f"takes {', '.join(taken)}"
    if action.returns:
        yield f"returns {', '.join(f'`{field}` ({type_})' for field, type_ in action.returns.items())}"


def _handoff(flow: Flow, name: str) -> Iterator[str]:
    handoff: Handoff | None = flow.handoffs.get(name)
    if handoff is None:
        return
    yield f"**{name}** ({handoff.mode} handoff)"
    yield from _line(handoff.line)
    if handoff.package:
        yield f"the person gets {', '.join(handoff.package)}"


def _result(flow: Flow, name: str) -> Iterator[str]:
    action, _, field = name.partition(".")
    returned = flow.actions[action].returns.get(field) if action in flow.actions else None
    if returned is not None:
        yield f"**{name}** ({returned}, what the action `{action}` returns)"


def _line(line: Line | None) -> Iterator[str]:
    if line is None:
        return
    yield f"says: “{line.say}”" if line.say is not None else f"conveys: {line.convey}"


_TELLERS: Final[Mapping[str, Callable[[Flow, str], Iterator[str]]]] = {
    "node": _node,
    "slot": _slot,
    "fact": _fact,
    "intent": _intent,
    "action": _action,
    "handoff": _handoff,
    "result": _result,
}
