"""A placeholder as other tools write it, which nothing fills here.

Why: the caller hears "hello first name", or a bracket, in the middle of a sentence.

**Flagged**

    nodes:
      goodbye: {kind: end, say: "Goodbye, [first name].", outcome: done}  # flagged

**Clean**

    nodes:
      goodbye: {kind: end, say: "Goodbye. Your account is {account}.", outcome: done}

Tip: write `{name}`, with the name of a fact or a slot.
"""

import re
from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, line_place, seeking, spoken
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF824"
NAME: Final = "foreign-placeholder"
SEVERITY: Final = "error"

_FOREIGN: Final = seeking(
    r"\[(?:[A-Za-z][\w .]{0,30})\](?!\()|<[A-Z][A-Z_ ]{1,30}>"
    r"|<(?:first|last|caller|customer|your|company)[ _]\w+>"
    r"|\$\{?[A-Za-z_]\w*\}?|%\([a-z_]+\)s|(?<!\w)%s\b"
)


_NAMES: Final = re.compile(
    r"(?i)\b(name|first|last|customer|caller|company|insert|your|phone|email|date|time|amount)\b"
)


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every line with a placeholder of another tool's making."""
    for line, _, what in spoken(flow, graph):
        for text in (line.say, line.convey, line.sample):
            found = _FOREIGN(text) if text else None
            if found and text == line.convey and found[0][0] == "[" and not _NAMES.search(found[0]):
                continue  # "ask for the day [today or later]" is a note to the model
            if found:
                yield Found(
                    line_place(line, places),
                    f'{what} holds "{found[0]}", which nothing fills',
                    "Write `{name}`, with the name of a fact or a slot.",
                )
                break
