"""A text as an editor counts it: lines from 0, columns in the units both sides agreed on.

LSP lines end at `\\n`, `\\r\\n` and `\\r` and nowhere else; `str.splitlines` ends them at more characters.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from lsprotocol import types

from voiceflow_compiler.diagnostics import Span
from voiceflow_compiler.source import BREAK

# How many units one character takes in each encoding of positions.
WIDTHS: Final[Mapping[str, Callable[[str], int]]] = {
    "utf-8": lambda character: len(character.encode("utf-8", "surrogatepass")),
    "utf-16": lambda character: 2 if character > "\uffff" else 1,
    "utf-32": lambda _: 1,
}


class Text:
    """One version of a text. Immutable."""

    __slots__ = ("_starts", "_width", "text")

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self.text = text
        self._width = WIDTHS[encoding]
        self._starts: list[int] | None = None

    @property
    def starts(self) -> Sequence[int]:
        """Where each line starts, in characters."""
        if self._starts is None:
            self._starts = [0, *(match.end() for match in BREAK.finditer(self.text))]
        return self._starts

    def line(self, number: int) -> str:
        """A line, from 0, without its break; empty where there is none."""
        if not 0 <= number < len(self.starts):
            return ""
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.text)
        return self.text[self.starts[number] : end].rstrip("\r\n")

    def index(self, position: types.Position) -> int:
        """The character at a position; past the end of its line, where the line ends."""
        if position.line >= len(self.starts):
            return len(self.text)
        line, left = self.line(position.line), position.character
        start = self.starts[position.line]
        if line.isascii():
            return start + min(left, len(line))
        for at, character in enumerate(line):
            left -= self._width(character)
            if left < 0:
                return start + at
        return start + len(line)

    def position(self, index: int) -> types.Position:
        """The position of a character."""
        line = bisect_right(self.starts, index) - 1
        return types.Position(line, self._units(line, index - self.starts[line]))

    def range(self, span: Span) -> types.Range:
        """Where a span stands; a span of another version of this text is cut to what there is."""
        start = types.Position(span.line - 1, self._units(span.line - 1, span.column - 1))
        end = types.Position(span.end_line - 1, self._units(span.end_line - 1, span.end_column - 1))
        return types.Range(start, end)

    def holds(self, span: Span, position: types.Position) -> bool:
        """Whether a position lies in a span, or just behind it."""
        stretch = self.range(span)
        at = (position.line, position.character)
        start, end = stretch.start, stretch.end
        return (start.line, start.character) <= at <= (end.line, end.character)

    def between(self, span: Span) -> str:
        """The characters in a span."""
        starts = self.starts
        if span.line > len(starts) or span.end_line > len(starts):
            return ""
        return self.text[
            starts[span.line - 1] + span.column - 1 : starts[span.end_line - 1] + span.end_column - 1
        ]

    def changed(self, change: types.TextDocumentContentChangeEvent) -> "Text":
        """This text after a change; one without a range is the whole new text."""
        fresh = Text("")
        fresh._width = self._width
        if isinstance(change, types.TextDocumentContentChangeWholeDocument):
            fresh.text = change.text
            return fresh
        start, end = self.index(change.range.start), self.index(change.range.end)
        fresh.text = self.text[:start] + change.text + self.text[max(start, end) :]
        return fresh

    def _units(self, line: int, characters: int) -> int:
        text = self.line(line)[: max(characters, 0)]
        return len(text) if text.isascii() else sum(map(self._width, text))
