"""What libyaml says of a text that is not YAML, in words for a designer."""

import re
from typing import Final

_BREAK: Final = re.compile(r"\r\n|\r|\n")
RUNS_ON: Final = (
    "a quote that ends lines below",
    "Close it with the quote it was opened with: \" with \", ' with '.",
)
NEVER_CLOSED: Final = "a quote is opened and never closed"

# (a part of its words, message, tip). The first that fits is taken.
SYNTAX: Final = (
    (
        "mapping values are not allowed",
        "this colon cannot stand here",
        "Put text that holds a colon in quotes, and check the indentation of this line.",
    ),
    (
        "could not find expected ':'",
        "a key without its colon",
        "Write `key: value`; text that goes on below is indented deeper.",
    ),
    (
        "did not find expected key",
        "this line does not fit the lines above it",
        "Give it the indentation of its neighbours, or close the quote or bracket before it.",
    ),
    (
        "did not find expected '-' indicator",
        "this line does not fit the list above it",
        "Start each item of a list with `- `, all at the same indentation.",
    ),
    (
        "did not find expected ',' or",
        "a list or map in brackets is not closed or lacks a comma",
        "Separate its parts with `, ` and close the bracket; quote text that holds brackets or commas.",
    ),
    ("unexpected end of stream", NEVER_CLOSED, "Close it with the same quote."),
    (
        "found unexpected document indicator",
        NEVER_CLOSED,
        "Close it with the same quote.",
    ),
    (
        "unknown escape character",
        "an unknown escape in double quotes",
        "Write `\\\\` for a backslash, or use single quotes.",
    ),
    ("cannot start any token", "this character cannot start a text", "Put the text in quotes."),
    (
        "block sequence entries are not allowed",
        "a list item cannot stand here",
        "Put the list on its own lines below its key.",
    ),
    (
        "did not find expected alphabetic or numeric character",
        "a text cannot start with `*` or `&`",
        'Put it in quotes: "*".',
    ),
    ("found undefined tag handle", "a text cannot start with `!`", "Put the text in quotes."),
    (
        "did not find expected whitespace or line break",
        "this character cannot start a text",
        "Put the text in quotes.",
    ),
    ("found a tab character", "a tab where only spaces may stand", "Indent with spaces."),
)


def opened_above(text: str, at: int) -> tuple[int, int, int] | None:
    """Where (index, line, column, from 0) a quote was opened, lines above, that ends just before `at`.

    Closed with another quote than its own, it runs on to where the next text opens one.
    """
    before = text[:at].rstrip(" ")
    quote = before[-1:]
    if quote not in ("'", '"'):
        return None
    opened = before.rfind(quote, 0, -1)
    if opened < 0 or not _BREAK.search(before, opened):
        return None
    lines = _BREAK.split(before[:opened])
    return opened, len(lines) - 1, len(lines[-1])
