"""What an editor may change at a press of a key to mend a finding."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from voiceflow_compiler.diagnostics import Edit, Finding, Span
from voiceflow_compiler.lsp.text import Text

MAX_TITLE: Final = 90

# What a tip proposes: "Did you mean `price`?"
_MEANT = re.compile(r"Did you mean [`']([^`']+)[`']\?")
# In quotes: "Put it in quotes: \"1\"."
_IN_QUOTES = re.compile(r'^Put it in quotes: ("[^"]*")\.$')
_HAS_LADDERS = re.compile(r"^fallback[ ]*:", re.MULTILINE)
_REST = re.compile(r"[\w.]*")
_LADDERS: Final = """
fallback:
  no_match:
    - convey: Say kindly that you did not catch it and ask in other words.
    - go: {node}
  no_input:
    after_ms: 6000
    steps:
      - say: Are you still there?
      - go: {node}
  lost_model: {{say: "I'm sorry, I'm having trouble on my side. Let me get a person for you.", go: {node}}}
"""


def fixes(finding: Finding, text: Text, ways_out: tuple[str, ...]) -> Iterator[tuple[str, tuple[Edit, ...]]]:
    """What mends a finding: a title and edits that belong together.

    `text` is that of its file, `ways_out` the nodes a ladder may end at.
    """
    if finding.fix:
        yield _title(finding), finding.fix
        return
    meant = _MEANT.search(finding.tip)
    if meant is not None:
        yield f"Write `{meant[1]}`", (_instead(meant[1], finding, text),)
    quoted = _IN_QUOTES.match(finding.tip)
    if quoted is not None:
        yield f"Write {quoted[1]}", (Edit(finding.span, quoted[1]),)
    missing = finding.code == "VF501" or (finding.code == "VF102" and "`fallback`" in finding.message)
    if missing and ways_out and not _HAS_LADDERS.search(text.text):
        gap = "" if not text.text or text.text.endswith("\n") else "\n"
        end = _end(finding.span.file, text)
        yield "Write ladders for this flow", (Edit(end, gap + _LADDERS.format(node=ways_out[0])),)


def _title(finding: Finding) -> str:
    """What a fix would write, when that is a few words; else its tip."""
    text = finding.fix[0].text.strip() if len(finding.fix) == 1 else ""
    title = f"Write `{text}`" if text and "\n" not in text else finding.tip.split("\n")[0]
    title = title or finding.name.replace("-", " ")
    return title if len(title) <= MAX_TITLE else title[: MAX_TITLE - 3] + "..."


def _instead(meant: str, finding: Finding, text: Text) -> Edit:
    """What is meant in the form it must have where the finding points: in its quotes, and of a name with a
    dot only what is not there already.
    """
    span = finding.span
    written = text.between(span)
    line = text.line(span.line - 1)
    if len(written) > 1 and written[0] in "'\"" and written[-1] == written[0]:
        meant = f"{written[0]}{meant}{written[0]}"
    elif finding.code == "VF131" and line[: span.column - 1].endswith("."):
        meant = meant.partition(".")[2]
    elif finding.code == "VF131":
        rest = _REST.match(line, span.end_column - 1)
        span = replace(span, end_column=span.end_column + (len(rest[0]) if rest else 0))
    return Edit(span, meant)


def _end(file: str, text: Text) -> Span:
    """Where a text ends."""
    line = len(text.starts)
    column = len(text.text) - text.starts[-1] + 1
    return Span(file, line, column, line, column)
