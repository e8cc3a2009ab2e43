"""Words that put a caller through, where nobody is called.

Why: "I'm connecting you now", and then a goodbye or the next question. The caller was promised a person and
waits for one.

**Flagged**

    nodes:
      sorry: {kind: end, say: I'm connecting you with a colleague now., outcome: lost}  # flagged

**Clean**

    nodes:
      sorry: {kind: end, say: A colleague can tell you more another time. Goodbye., outcome: lost}

Tip: lead to a node of kind `handoff` from here; its own line says who is being called.
"""

import re
from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, line_place, plain, seeking, sentences
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Answer, Flow, Line
from voiceflow_compiler.graph import Graph, ladder_at, reach

CODE: Final = "VF608"
NAME: Final = "connection-promised"
SEVERITY: Final = "error"

_PUT: Final = r"(connect|transfer|put|pass) you (over |through|on |to |with|across)"
_PROMISE: Final = re.compile(
    rf"\b(i'll|i will|let me|i'm going to|we'll|i) (now |just |quickly )?{_PUT}"
    r"|\b(i'm|i am|we're) (now |just )?(connecting|transferring|putting|passing) you\b"
    r"|\btransferring you now\b"
)
_HINT: Final = seeking(r"connect|transfer|put|pass", re.IGNORECASE)
# "if you like, I'll put you through", "once I have your name, I'll connect you": not yet
_NOT_YET: Final = re.compile(
    r"\b(if|once|when|after|before|as soon as|until|can|could|not|never|don't|can't)\b"
)
# "I'll put you through, may I have your name first?": what a helpful caller is led along
_ONWARD: Final = frozenset({"next", "case", "otherwise", "success", "intent", "key", "filled"})


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every exact line that puts a caller through, from where no answer leads to a handoff."""
    for line, name, target in _said(flow, graph):
        promise = _promise(line)
        if promise and not _leads_to_person(graph, target):
            yield Found(
                line_place(line, places),
                f'a caller at "{name}" hears "{promise}", and nobody is called',
                "Lead to a node of kind `handoff` from here; its own line says who is being called.",
                route=graph.route(name),
            )


def _promise(line: Line) -> str:
    for text in (line.say, line.sample):
        if text is None or not _HINT(text):
            continue
        for sentence in sentences(text):
            words = plain(sentence)
            found = _PROMISE.search(words)
            if found and not sentence.endswith("?") and not _NOT_YET.search(words):
                return found[0]
    return ""


def _said(flow: Flow, graph: Graph) -> Iterator[tuple[Line, str, str | None]]:
    """Lines with the node where they are heard and where the call goes on; handoffs say their own."""
    for name in graph.reached:
        node = graph.nodes[name]
        if node.kind in ("tell", "end", "disclosure") and node.line is not None:
            yield node.line, name, node.next
        if node.listens:
            for answer in (*node.on.values(), *node.keys.values()):
                yield from _answered(answer, name)
            for cause in ("no_match", "no_input"):
                ladder = ladder_at(flow, node, cause)
                for rung in ladder.rungs if ladder else ():
                    if rung.line is not None:
                        yield rung.line, name, rung.go or name
    listening = next((name for name in graph.reached if graph.nodes[name].listens), "")
    for answer in flow.everywhere.values():
        yield from _answered(answer, listening)


def _answered(answer: Answer, name: str) -> Iterator[tuple[Line, str, str | None]]:
    if answer.line is not None:
        yield answer.line, name, answer.go or name


def _leads_to_person(graph: Graph, target: str | None) -> bool:
    if target is None or target not in graph.nodes:
        return False
    ahead = reach(graph, [target], via=lambda edge: edge.kind in _ONWARD)
    return any(graph.nodes[name].kind == "handoff" for name in ahead)
