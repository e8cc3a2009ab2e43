"""The characters of a source file: which are refused, and what a plain scalar means."""

import re
from bisect import bisect_right
from typing import Final

from voiceflow_compiler.diagnostics import Finding, Span

MAX_FINDINGS: Final = 50  # of one kind in one file: a broken generator is told enough by fifty
MAX_DIGITS: Final = 18

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?")
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_NOT_TEXT_STARTS: Final = frozenset("-0123456789tTfFnN~")

# Characters that show nothing, or reorder what is shown. The joiners U+200C and U+200D are letters' business
# in many scripts.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\U000e0000-\U000e007f]|(?<![\u0300-\U000dffff])[\u200c\u200d]"
)
_CONTROL = re.compile("[\x00-\x08\t\x0b\x0c\x0e-\x1f\x7f]")
_REFUSED_BY_YAML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_LEADING_TAB = re.compile(r"^[ ]*\t[ \t]*", re.MULTILINE)
BREAK = re.compile(r"\r\n|\r|\n")


def check_characters(text: str, file: str, findings: list[Finding]) -> tuple[str, bool]:
    """Find what cannot be seen. Returns a text of equal length that YAML accepts, and whether indentation
    held tabs.
    """
    if text.isascii() and not _CONTROL.search(text):  # nearly every text, and looked at in no time
        return text, False
    lines: list[int] = []
    for count, match in enumerate(INVISIBLE.finditer(text)):
        if count == MAX_FINDINGS:
            break
        name = f"U+{ord(match[0]):04X}"
        findings.append(
            Finding(
                "VF004",
                "invisible-character",
                "error",
                f"an invisible character stands here ({name})",
                _span_at(text, match.start(), 1, file, lines),
                "Delete it and type the text again.",
            )
        )
    tabs = False
    for count, match in enumerate(_LEADING_TAB.finditer(text)):
        tabs = True
        if count == MAX_FINDINGS:
            break
        at = match.start() + match[0].index("\t")
        findings.append(
            Finding(
                "VF005",
                "tab-in-indentation",
                "error",
                "a tab stands in the indentation",
                _span_at(text, at, 1, file, lines),
                "Indent with spaces.",
            )
        )
    safe = _REFUSED_BY_YAML.sub(" ", text)
    return (_LEADING_TAB.sub(lambda match: match[0].replace("\t", " "), safe) if tabs else safe), tabs


def _span_at(text: str, index: int, length: int, file: str, starts: list[int]) -> Span:
    """The span of an index; `starts` caches where lines start."""
    if not starts:
        starts.extend([0, *(match.end() for match in BREAK.finditer(text))])
    line = bisect_right(starts, index)
    column = index - starts[line - 1] + 1
    return Span(file, line, column, line, column + length)


def scalar(text: str) -> str | int | float | bool | None:
    """What a plain scalar means. Raises ValueError for a number with more digits than a number may have."""
    if text and text[0] not in _NOT_TEXT_STARTS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    if len(text) > MAX_DIGITS:
        raise ValueError("a number too long")
    return float(text) if match[1] else int(text)
