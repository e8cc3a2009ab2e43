"""Where in a flow a cursor stands, from the text before it alone: what is typed is rarely YAML yet."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from voiceflow_compiler.diagnostics import Path
from voiceflow_compiler.lsp.text import Text

LOOK_BACK: Final = 400  # lines: a node is never that long

_KEY = re.compile(r"(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'\[\]{},#&*!|>%@`][^:#{}\[\],]*?))[ ]*:(?=\s|$)")
_BLOCK_TEXT = re.compile(r"[|>][+-]?[0-9]?[+-]?[ ]*(?:#.*)?$")


@dataclass(frozen=True, slots=True)
class Cursor:
    """`path` leads to the map or list the cursor stands in when it is `at` a key, and to the value when `at`
    a value. `typed` is what stands before the cursor of that key or value; `quote` the quote it began with.
    """

    path: Path
    at: Literal["key", "value"]
    typed: str
    quote: str = ""
    in_brackets: bool = False
    beside: tuple[str, ...] = ()


@dataclass(slots=True)
class _Level:
    """A map or a list in lines of its own: its indentation, and the key or number it is at."""

    indent: int
    step: str | int


@dataclass(slots=True)
class _Bracket:
    """A map or a list in brackets. `step` is the key or number it is at; None while a key is typed."""

    opened: str
    step: str | int | None


def cursor(text: Text, line: int, column: int) -> Cursor | None:
    """Where the cursor stands; `column` in characters. None in a comment."""
    scan = _Scan()
    for number in range(_start(text, line), line):
        scan.line(text.line(number))
    return scan.last(text.line(line)[:column])


def _start(text: Text, line: int) -> int:
    """The line from which to look: the nearest key at the left margin above, which is outside any bracket."""
    for number in range(line, max(line - LOOK_BACK * 10, -1), -1):
        here = text.line(number)
        if here[:1].isalpha() and _KEY.match(here):
            return number
    return max(0, line - LOOK_BACK)


class _Scan:
    """Reads line after line, keeping the keys that lead to where it is."""

    def __init__(self) -> None:
        self.levels: list[_Level] = []
        self.brackets: list[_Bracket] = []
        self.quote = ""
        self.typed = ""  # of the value or key that is being read
        self.keys: list[str] = []
        self.below: int | None = None  # lines deeper than this belong to a block text
        self.comment = False
        self.as_key = True

    def line(self, text: str) -> None:
        """A whole line above the cursor."""
        if self.below is not None:
            if not text.strip() or len(text) - len(text.lstrip()) > self.below:
                return
            self.below = None
        self._read(text)

    def last(self, text: str) -> Cursor | None:
        """The line of the cursor, up to it."""
        if self.below is not None and (not text.strip() or len(text) - len(text.lstrip()) > self.below):
            path = tuple(level.step for level in self.levels)
            return Cursor(path, "value", text.lstrip())
        self._read(text, last=True)
        if self.comment:
            return None
        outer: list[str | int] = [level.step for level in self.levels]
        if self.brackets:
            steps = [bracket.step for bracket in self.brackets]
            path = (*outer, *(step for step in steps if step is not None))
            at: Literal["key", "value"] = "key" if steps[-1] is None else "value"
            return Cursor(path, at, self.typed, self.quote, in_brackets=True)
        if self.as_key or not outer:
            return Cursor(tuple(outer), "key", self.typed, self.quote)
        return Cursor(tuple(outer), "value", self.typed, self.quote)

    def _read(self, text: str, *, last: bool = False) -> None:
        self.comment, self.as_key = False, False
        at = 0
        if not self.brackets and not self.quote:
            stripped = text.lstrip(" ")
            if (not stripped and not last) or stripped.startswith("#"):
                self.comment = stripped.startswith("#")
                return
            at = self._block(text, len(text) - len(stripped))
        else:
            self.typed += " " if self.typed else ""
        self._inline(text[at:])

    def _block(self, text: str, indent: int) -> int:
        """Read dashes and a key at the start of a line; where the rest begins."""
        at = indent
        self._leave(indent, dash=text[at : at + 2] in ("- ", "-"))
        while text[at : at + 2] in ("- ", "-") and text[at : at + 1] == "-":
            self._step(at, number=True)
            at += 1
            while text[at : at + 1] == " ":
                at += 1
        match = _KEY.match(text, at)
        self.typed = ""
        if match is None:
            self.as_key = ":" not in text[at:] and not text[at:].startswith(("{", "[", '"', "'"))
            return at
        self._step(at, key=next(group for group in match.groups() if group is not None))
        rest = text[match.end() :].strip()
        if _BLOCK_TEXT.match(rest):
            self.below = indent
        at = match.end()
        while text[at : at + 1] == " ":
            at += 1
        return at

    def _leave(self, indent: int, *, dash: bool) -> None:
        """Leave the levels that a line of this indentation has ended."""
        while self.levels and (
            self.levels[-1].indent > indent
            or (self.levels[-1].indent == indent and not (dash and isinstance(self.levels[-1].step, str)))
        ):
            if self.levels[-1].indent == indent and isinstance(self.levels[-1].step, int) and dash:
                return
            self.levels.pop()

    def _step(self, indent: int, *, key: str = "", number: bool = False) -> None:
        if number and self.levels and self.levels[-1].indent == indent:
            step = self.levels[-1].step
            if isinstance(step, int):
                self.levels[-1].step = step + 1
                return
        self.levels.append(_Level(indent, 0 if number else key))

    def _inline(self, text: str) -> None:
        """Read the rest of a line: quotes, brackets, and the keys in them."""
        at = 0
        while at < len(text):
            character = text[at]
            if self.quote:
                if character == "\\" and self.quote == '"':
                    self.typed += text[at : at + 2]
                    at += 1
                elif character == self.quote:
                    self.quote = ""
                else:
                    self.typed += character
            elif character in "\"'" and not self.typed.strip():
                self.quote, self.typed = character, ""
            elif character == "#" and (at == 0 or text[at - 1] == " "):
                self.comment = True
                return
            elif self.brackets or (character in "[{" and not self.typed.strip()):
                self._bracket(character, text, at)
            else:
                self.typed += character
            at += 1

    def _bracket(self, character: str, text: str, at: int) -> None:
        if character in "[{" and not self.typed.strip():
            self.brackets.append(_Bracket(character, 0 if character == "[" else None))
            self.typed = ""
        elif character in "]}":
            self.brackets.pop()
            self.typed = ""
        elif character == ",":
            top = self.brackets[-1]
            top.step = top.step + 1 if isinstance(top.step, int) else None
            self.typed = ""
        elif character == ":" and self.brackets[-1].step is None and text[at + 1 : at + 2] in ("", " "):
            self.brackets[-1].step = self.typed.strip().strip("\"'")
            self.typed = ""
        elif character != " " or self.typed:
            self.typed += character
