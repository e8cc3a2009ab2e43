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


_KEYED: Final = re.compile(r"(\s*)(?:- )?[\w.*#\"'-]+:(?:\s|$)")
_BARE: Final = re.compile(r"\s*(\w+) +(\S[^:]*)$")


def slip(problem: str, text: str, at: int) -> tuple[int, int, int, str, str] | None:
    """A slip of the hand that explains what libyaml says.

    Where it is (index, line, column, from 0), a message and a tip.
    """
    before = _BREAK.split(text[:at])
    number, column = len(before) - 1, len(before[-1])
    line = before[-1] + _BREAK.split(text[at:], maxsplit=1)[0]
    start = at - column
    if "mapping values are not allowed" in problem and _KEYED.match(line) and line[:column].count(":") == 0:
        return _misplaced_key(before[:-1], line, start, number)
    opened = re.search(r"(?<=[\s\[{,])'", line[:column])
    if opened and column and line[column - 1] == "'" and "expected" in problem:
        whole = line[opened.start() + 1 :].rstrip().rstrip("'")
        tip = f'Put the text in double quotes: "{whole}".' if len(whole) <= 80 else "Put it in double quotes."
        return at - 1, number, column - 1, "the text ends at this apostrophe", tip
    return None


def _misplaced_key(
    above: list[str], line: str, start: int, number: int
) -> tuple[int, int, int, str, str] | None:
    """A key that is indented deeper than its neighbour above, or stands below a key without its colon."""
    last = next((each for each in reversed(above) if each.strip()), "")
    deep, last_deep = (len(each) - len(each.lstrip()) for each in (line, last))
    if deep > last_deep and _KEYED.match(last) and not last.rstrip().endswith(":"):
        message = "this line is indented deeper than the one above it"
        tip = f"Give it the same indentation: {last_deep} spaces." if last_deep else "Start it at the margin."
        return start + deep, number, deep, message, tip
    bare = _BARE.fullmatch(last)
    if deep == last_deep and bare and above and above[-1] == last:
        index = start - 1 - len(last) + last_deep
        message = f"`{bare[1]}` has no colon after it"
        return index, number - 1, last_deep, message, f"Write `{bare[1]}: {bare[2].strip()}`."
    return None
