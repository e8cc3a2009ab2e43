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
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Final

from voiceflow_compiler.checks.base import Found, line_place
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow, Ladder, Line, Node
from voiceflow_compiler.graph import Graph

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

Questions = Callable[[], list[Node]]


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every line that names a key which a question heard with it does not answer (English only)."""
    for line, nodes in _said(flow, graph):
        for where, text in (("say", line.say), ("convey", line.convey), ("sample", line.sample)):
            for key in _keys_in(text) if text else ():
                deaf = next((node for node in nodes() if not _answers(flow, node, key)), None)
                if deaf is not None:
                    place = (
                        line_place(line, places) if where != "sample" else places.value((*line.path, where))
                    )
                    yield Found(
                        place,
                        f'a caller who presses {key} as they are told gets no answer at "{deaf.name}"',
                        f'Put `"{key}"` under `keys` of "{deaf.name}", or do not name the key.',
                        route=graph.route(deaf.name),
                    )


@lru_cache(1 << 13)
def _keys_in(text: str) -> tuple[str, ...]:
    """The keys that a text names."""
    first = _PRESS.search(text)
    if first is None:
        return ()
    found = (*_PRESS.finditer(text), *_MORE.finditer(text, first.end()))
    return tuple(dict.fromkeys(_KEYS.get(each[1].lower(), each[1]) for each in found))


def _said(flow: Flow, graph: Graph) -> Iterator[tuple[Line, Questions]]:
    """Lines after which a caller is listened to, with the questions at which they then press a key."""
    for name in graph.reached:
        node = graph.nodes[name]
        if node.line is not None and node.kind in ("disclosure", "tell", "ask"):
            yield node.line, partial(_questions, graph, node)
        for answer in node.on.values():
            if answer.line is not None and answer.stay:
                yield answer.line, partial(_questions, graph, node)
        for ladder in (node.fallback.no_match, node.fallback.no_input) if node.fallback else ():
            yield from _asked_again(ladder, partial(_questions, graph, node))
    for ladder, cause in ((flow.fallback.no_match, "no_match"), (flow.fallback.no_input, "no_input")):
        yield from _asked_again(ladder, partial(_climbing, graph, cause))


def _asked_again(ladder: Ladder | None, nodes: Questions) -> Iterator[tuple[Line, Questions]]:
    for rung in ladder.rungs if ladder else ():
        if rung.line is not None and rung.go is None:
            yield rung.line, nodes


def _climbing(graph: Graph, cause: str) -> list[Node]:
    """The questions without a ladder of their own for this cause."""
    asking = (graph.nodes[name] for name in graph.reached if graph.nodes[name].listens)
    return [node for node in asking if node.fallback is None or getattr(node.fallback, cause) is None]


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
