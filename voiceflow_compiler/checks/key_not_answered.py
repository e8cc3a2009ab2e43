"""Words that name a key of the telephone which does nothing.

Why: the caller does what they were told, and nothing happens. A key that no `keys` names is passed over in
silence.

**Flagged**

    nodes:
      offer:
        kind: ask
        say: Press 1 for a demo, or 2 for a letter.  # flagged
        on:
          agreement: {go: email}
        keys:
          "1": {go: email}

**Clean**

    nodes:
      offer:
        kind: ask
        say: Press 1 for a demo, or 2 to leave it.
        on:
          agreement: {go: email}
        keys:
          "1": {go: email}
          "2": {go: sorry}

What a node says that does not listen holds for the question after it:

**Flagged**

    nodes:
      greeting:
        kind: disclosure
        say: I'm an AI assistant from {company}. This call is recorded. Press 0 for a person.  # flagged
        next: team

Tip: put the key under `keys` at every question where it may be pressed, or do not name it.
"""

import re
from collections import deque
from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, line_place
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow, Ladder, Line, Node
from voiceflow_compiler.graph import Graph, ladder_at

CODE: Final = "VF306"
NAME: Final = "key-not-answered"
SEVERITY: Final = "error"

_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_KEYS: Final = {word: str(digit) for digit, word in enumerate(_DIGITS)} | {
    "star": "*",
    "pound": "#",
    "hash": "#",
}
_KEY: Final = rf"(?:the )?(?:number |key )?([0-9*#]|{'|'.join(_KEYS)})(?!\w|\.\d)"
_PRESS: Final = re.compile(rf"\b(?:press|push|hit|dial)(?:ing)? {_KEY}", re.IGNORECASE)
# "press 1 for this, or 2 for that", "press 1 or 2"
_MORE: Final = re.compile(rf"(?:,|,? or|;) {_KEY}(?= for\b| to\b| if\b|[,.;!?]|$)", re.IGNORECASE)


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every line that names a key which a question heard with it does not answer (English only)."""
    for line, nodes in _said(flow, graph):
        for key, where in _named(line).items():
            deaf = next((node for node in nodes if not _answers(flow, node, key)), None)
            if deaf is not None:
                yield Found(
                    places.value((*line.path, where)) if where == "sample" else line_place(line, places),
                    f'a caller who presses {key} as they are told gets no answer at "{deaf.name}"',
                    f'Put `"{key}"` under `keys` of "{deaf.name}", or do not name the key.',
                    route=graph.route(deaf.name),
                )


def _named(line: Line) -> dict[str, str]:
    """The keys that a line names, each with where: `say`, `convey` or `sample`."""
    named: dict[str, str] = {}
    for where, text in (("say", line.say), ("convey", line.convey), ("sample", line.sample)):
        first = _PRESS.search(text or "")
        if text is None or first is None:
            continue
        for found in (*_PRESS.finditer(text), *_MORE.finditer(text, first.end())):
            named.setdefault(_KEYS.get(found[1].lower(), found[1]), where)
    return named


def _said(flow: Flow, graph: Graph) -> Iterator[tuple[Line, list[Node]]]:
    """Lines after which a caller is listened to, with the questions at which they then press a key."""
    for name in graph.reached:
        node = graph.nodes[name]
        if node.line is not None and node.kind in ("disclosure", "tell", "ask"):
            yield node.line, _questions(graph, node)
        for answer in node.on.values():
            if answer.line is not None and answer.stay:
                yield answer.line, [node]
    listening = [graph.nodes[name] for name in graph.reached if graph.nodes[name].listens]
    ladders: dict[int, tuple[Ladder, list[Node]]] = {}
    for node in listening:
        for ladder in (ladder_at(flow, node, "no_match"), ladder_at(flow, node, "no_input")):
            if ladder is not None:
                ladders.setdefault(id(ladder), (ladder, []))[1].append(node)
    for ladder, nodes in ladders.values():
        for rung in ladder.rungs:
            if rung.line is not None and rung.go is None:
                yield rung.line, nodes


def _questions(graph: Graph, node: Node) -> list[Node]:
    """The questions that are the next to listen after a node speaks: itself, if it listens."""
    found, seen, ahead = [], {node.name}, deque([node])
    while ahead:
        each = ahead.popleft()
        if each.listens:
            found.append(each)
            continue
        for edge in graph.edges_from[each.name]:
            if not edge.inherited and edge.target not in seen:
                seen.add(edge.target)
                ahead.append(graph.nodes[edge.target])
    return found


def _answers(flow: Flow, node: Node, key: str) -> bool:
    return key in node.keys or any(slot in flow.slots and flow.slots[slot].by_keypad for slot in node.collect)
