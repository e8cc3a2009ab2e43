"""A disclosure that needs something known only during the call.

Why: the disclosure is recorded beforehand and played whatever happens, even if the records about the caller
or the model cannot be reached. So it may name the company and the purpose, and nothing that is looked up or
asked.

**Flagged**

    nodes:
      greeting:
        kind: disclosure
        say: Hi {account}, I'm the AI of {company}. The call is recorded. A person is here too.  # flagged
        next: team

**Clean**

    nodes:
      greeting:
        kind: disclosure
        say: Hi, I'm the AI of {company}. The call is recorded. A person is here too.
        next: team

Tip: greet the caller by name in the node after it.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, named_in
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF402"
NAME: Final = "disclosure-depends-on-call"
SEVERITY: Final = "error"

_ALWAYS_KNOWN: Final = frozenset({"company", "purpose"})


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every placeholder of a disclosure but those the compiler fills."""
    for node in flow.nodes.values():
        if node.kind != "disclosure" or node.line is None:
            continue
        for name, place in named_in(node.line, places):
            if name not in _ALWAYS_KNOWN and _is_known(name, flow):
                yield Found(
                    place(),
                    f'the disclosure "{node.name}" needs {{{name}}}, which is not known before the call',
                    "Leave it out here and use it in the node that follows.",
                )


def _is_known(name: str, flow: Flow) -> bool:
    """Whether there is such a value at all: what is misspelt is told by its own finding."""
    return name in flow.slots or name in flow.facts or name.partition(".")[0] in flow.actions
