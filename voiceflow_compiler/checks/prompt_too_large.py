"""A brief, or what stands before all briefs, that takes more tokens than a call can carry.

Why: every turn of a call pays for it, in money and in the time before the first word. Long instructions are
followed worse than short ones. Tokens are estimated as a quarter of the characters.

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: >-  # flagged
          Offer a demo. Say that it takes half an hour, that an engineer who knows their trade shows
          it, and that they see their own figures in it when they send them beforehand. If they ask
          what it costs, say that the demo is free, that the small plan is twenty dollars a seat and
          month, the middle plan is thirty, and the large one is forty, and that the yearly price is
          ten months' worth. If they ask what the plans hold, say that the small one has reports,
          the middle one has reports and alerts, and the large one has reports, alerts and
          forecasts, and that all of them have the same support. If they ask about the support, say
          that people answer within a day, on work days, from eight to six, by telephone and in
          writing, and that the large plan has a person of its own. If they ask about security, say
          that all is kept in their own region, that it is encrypted, that an auditor looks at it
          every year, and that the report can be had. If they ask about others of their size, say
          that four thousand companies use it, in thirty countries, most of them with fewer than a
          hundred people, and that three of them are named on the site. If they ask what is new, say
          that forecasts are new, that alerts can now be sent to a group, and that the reports look
          better on a telephone. If they ask about the contract, say that it runs from month to
          month, that it can be left at any time, and that the data is theirs and can be taken along
          in a form that others read. If they ask for a discount, say that schools and clubs pay
          half, and that nobody else does, so that it is fair. If they ask who is behind it, say
          that the company is eleven years old, belongs to the people who work there, and has its
          office by the harbour, where they may come by for a coffee. If they ask for a paper, say
          that it can be sent, in two pages or in twenty. If they ask about training, say that a
          course of two hours is part of every plan, that it can be heard at any time, and that a
          trainer comes to the house for a fee. If they ask about other languages, say that the
          product speaks nine of them, and the support four. Then ask once more whether they would
          like the demo, and when, and who else should be there, and what they would most like to
          see in it.
        on:
          agreement: {go: email}

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo, half an hour with an engineer.
        on:
          agreement: {go: email}
    knowledge:
      - The demo is free. Plans cost twenty, thirty and forty dollars a seat and month.

Tip: put what callers may ask under `knowledge`, once, and keep a node to one purpose.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler import prompts
from voiceflow_compiler.checks.base import Found, line_place
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow, Node
from voiceflow_compiler.graph import Graph

CODE: Final = "VF804"
NAME: Final = "prompt-too-large"
SEVERITY: Final = "warning"

_BRIEF: Final = 500
_PREFIX: Final = 8000
_CHARACTERS: Final = 4  # of a token, about


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every node whose brief, and every flow whose prefix, is estimated above its budget."""
    for node in flow.nodes.values():
        # a brief is a few lines around these words, so only a long one is worth writing out
        if node.line is None or _size(node) < _CHARACTERS * _BRIEF / 2:
            continue
        tokens = len(prompts.brief(flow, node)) // _CHARACTERS
        if tokens > _BRIEF:
            yield Found(
                line_place(node.line, places),
                f'the brief of "{node.name}" takes about {tokens} tokens in every turn there, {_BRIEF} are '
                "enough (a token is counted as four characters)",
                "Put what callers may ask under `knowledge`, and keep the node to one purpose.",
            )
    tokens = len(prompts.prefix(flow)) // _CHARACTERS if _written(flow) > _CHARACTERS * _PREFIX / 2 else 0
    if tokens > _PREFIX:
        yield Found(
            places.key(("knowledge",) if flow.knowledge else ("intents",)),
            f"what every call begins with takes about {tokens} tokens, {_PREFIX} are enough (a token is "
            "counted as four characters)",
            "Drop intents and knowledge that few callers need.",
        )


def _size(node: Node) -> int:
    line = node.line
    return sum(len(text) for text in (line.say, line.convey, line.sample) if text) if line else 0


def _written(flow: Flow) -> int:
    """About how many characters of the prefix the designer wrote."""
    intents = sum(len(each.means) + sum(map(len, each.examples)) + 30 for each in flow.intents.values())
    slots = sum(len(each.meaning) + sum(map(len, each.examples)) + 60 for each in flow.slots.values())
    phrases = sum(len(said) for each in flow.slots.values() for said in each.phrases.values())
    return intents + slots + 20 * phrases + len(flow.style) + sum(map(len, flow.knowledge))
