"""The texts of a flow, as checks of wording read them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

from voiceflow_compiler.diagnostics import Places, Span

# While a flow is typed, all its texts but one are those of the key before.
_REMEMBERED: Final = 1 << 13

Seek = Callable[[str], re.Match[str] | None]


@dataclass(frozen=True, slots=True)
class Instruction:
    """A text the model reads and follows. `key` is `convey`, `style` or `knowledge`; `what` names it."""

    text: str
    what: str
    key: str
    place: Callable[[Places], Span]


def given(texts: Iterable[tuple[str, str, str, Callable[[Places], Span]]]) -> list[Instruction]:
    """Instructions from their parts; empty texts are none."""
    return [Instruction(*each) for each in texts if each[0]]


def at(*path: str | int) -> Callable[[Places], Span]:
    """The place of the value at a path."""
    return partial(_value, path)


def seeking(pattern: str, flags: int = 0) -> Seek:
    """The search for a pattern in a text, which remembers what it found."""
    return lru_cache(_REMEMBERED)(re.compile(pattern, flags).search)


@lru_cache(_REMEMBERED)
def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, each with the mark that ends it."""
    parts = re.findall(r"[^.!?]+[.!?]*", text)
    return tuple(part.strip() for part in parts if re.search(r"\w", part))


@lru_cache(_REMEMBERED)
def plain(text: str) -> str:
    """A text as a listener would compare it: lower case, words only."""
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.casefold().replace("’", "'")))


def _value(path: tuple[str | int, ...], places: Places) -> Span:
    return places.value(path)
