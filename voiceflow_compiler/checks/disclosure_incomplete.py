"""A disclosure that leaves out what every caller must be told.

Why: a caller must learn that an AI is speaking, for which company, that a person can be asked for, and, if
the call is recorded, that it is. Which words count is a short list for each of a few languages (de, en, es,
fr, it, nl, pt); a disclosure in another is searched for the company's name alone.

**Flagged**

    nodes:
      greeting:
        kind: disclosure
        say: Hi, I'm from {company}. This call is recorded. You can ask for a person.  # flagged
        next: team

**Clean**

    nodes:
      greeting:
        kind: disclosure
        say: Hi, I'm an AI assistant from {company}. This call is recorded. You can ask for a person.
        next: team

Tip: "Hi, I'm an AI assistant from {company}. This call is recorded. You can ask for a person at any time."
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, line_place, plain
from voiceflow_compiler.checks.base.disclosures import AI, PERSON, RECORDED, tells
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow, Node
from voiceflow_compiler.graph import Graph

CODE: Final = "VF404"
NAME: Final = "disclosure-incomplete"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """For every disclosure, or chain of them, the parts that are missing from its words."""
    later = {node.next for node in flow.nodes.values() if node.kind == "disclosure"}
    for node in flow.nodes.values():
        if node.kind == "disclosure" and node.line is not None and node.name not in later:
            missing = list(_missing(flow, _words(flow, node)))
            if missing:
                yield Found(
                    line_place(node.line, places),
                    f'the disclosure "{node.name}" does not tell the caller {_listed(missing)}',
                    "Say for example: Hi, I'm an AI assistant from {company}. This call is recorded. "
                    "You can ask for a person at any time.",
                )


def _words(flow: Flow, node: Node) -> str:
    """What a caller hears from this disclosure and those that follow it directly."""
    heard: dict[str, str] = {}
    current: Node | None = node
    while current is not None and current.kind == "disclosure" and current.name not in heard:
        heard[current.name] = current.line.text if current.line else ""
        current = flow.nodes.get(current.next or "")
    text = " ".join(heard.values()).replace("{purpose}", flow.purpose)
    return plain(text.replace("{company}", flow.company))


def _missing(flow: Flow, words: str) -> Iterator[str]:
    if not tells(AI, flow, words):
        yield "that it is an AI"
    if not any(word in words for word in _telling(flow.company)):
        yield "which company is calling or called"
    if not tells(PERSON, flow, words):
        yield "that they can ask for a person"
    if flow.recorded and not tells(RECORDED, flow, words):
        yield "that the call is recorded"


def _telling(company: str) -> list[str]:
    """The words of a company's name that name it, without "the" and "Inc"; all of a name of short words."""
    whole = plain(company)
    return [word for word in whole.split() if len(word) > 3] or [whole]


def _listed(parts: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
