"""Words that cannot be heard: an address of the web, markdown, an identifier, the name of a tool.

Why: what is written for the eye is read out letter by letter, or left out, or makes the voice stumble.

**Flagged**

    nodes:
      goodbye: {kind: end, say: "Read more at https://example.com/demo. Goodbye.", outcome: x}  # flagged

**Clean**

    nodes:
      goodbye: {kind: end, say: Read more on our page. Goodbye., outcome: done}

Tip: say it as one would to a person on the telephone, or send it in writing.
"""

import re
from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, line_place, seeking, spoken
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow, Line
from voiceflow_compiler.graph import Graph

CODE: Final = "VF823"
NAME: Final = "unspeakable"
SEVERITY: Final = "warning"

_KINDS: Final = {
    "an address of the web": re.compile(r"\b(https?://|www\.)\S+|\b[\w-]+\.(com|org|net|io)/\S*"),
    "markdown": re.compile(r"\*\*[^*]+\*\*|__[^_]+__|`[^`]+`|^\s*(#{1,4} |[-*] )|\[[^\]]+\]\([^)]+\)", re.M),
    "an identifier": re.compile(
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-|\b(?=\w*\d)(?=\w*[A-Z])\w{12,}\b|\b[a-z]+(_[a-z]+)+\b"
    ),
    "a tag": re.compile(r"</?[a-z][\w-]*(\s[^>]*)?/?>"),
}
_HINT: Final = seeking(r"[_*`#\[</]|\d|www\.|^\s*-", re.M)


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every exact line, sample and announcement with something in it that is not speech."""
    for line, _, what in spoken(flow, graph):
        for kind, found in _written_for_the_eye(line):
            yield Found(
                line_place(line, places),
                f'{what} reads {kind} out to the caller: "{found}"',
                "Say it as one would on the telephone, or send it in writing.",
            )


def _written_for_the_eye(line: Line) -> Iterator[tuple[str, str]]:
    for text in (line.say, line.sample):
        if text is None or not _HINT(text):
            continue
        bare = re.sub(r"\{[^}]*\}", "", text)
        for kind, pattern in _KINDS.items():
            found = pattern.search(bare)
            if found:
                yield kind, found[0].strip()
                break
