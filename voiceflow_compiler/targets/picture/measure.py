"""How wide text is, and where it breaks.

The widths are those of Helvetica, Arial and Liberation Sans, which agree. A picture is laid out where
the flow is compiled and no font is asked there; a character not in the table is taken as a wide one.
"""

import unicodedata
from typing import Final

# Thousandths of the font size, from space to tilde, as published in the fonts' metrics.
_ASCII: Final = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
)
_BOLD: Final = 1.08


def width(text: str, size: float, *, bold: bool = False) -> float:
    """The width of one line in pixels, at a font size in pixels."""
    return sum(map(_advance, text)) * size / 1000 * (_BOLD if bold else 1)


def wrap(text: str, size: float, limit: float, *, lines: int = 99, bold: bool = False) -> list[str]:
    """`text` in lines no wider than `limit` pixels; what does not fit in `lines` ends in an ellipsis."""
    wrapped: list[str] = []
    for word in (piece for whole in text.split() for piece in _pieces(whole, size, limit, bold=bold)):
        longer = f"{wrapped[-1]} {word}" if wrapped else word
        if wrapped and width(longer, size, bold=bold) <= limit:
            wrapped[-1] = longer
        else:
            wrapped.append(word)
    if len(wrapped) <= lines:
        return wrapped
    last = wrapped[lines - 1]
    while last and width(f"{last}…", size, bold=bold) > limit:
        last = last[:-1]
    return [*wrapped[: lines - 1], f"{last.rstrip(' ,.;:')}…"]


def _pieces(word: str, size: float, limit: float, *, bold: bool) -> list[str]:
    """A word cut where it must be: after an underscore, dot or hyphen if there is one, else anywhere."""
    pieces = []
    while width(word, size, bold=bold) > limit and len(word) > 1:
        fits = next(
            (end for end in range(len(word) - 1, 1, -1) if width(word[:end], size, bold=bold) <= limit), 1
        )
        kind = max((word.rfind(mark, 1, fits) + 1 for mark in "_.-:/"), default=0)
        cut = kind or fits
        pieces.append(word[:cut])
        word = word[cut:]
    return [*pieces, word]


def _advance(character: str) -> int:
    code = ord(character)
    if 32 <= code <= 126:
        return _ASCII[code - 32]
    if unicodedata.combining(character):
        return 0
    return 1000 if unicodedata.east_asian_width(character) in "WFA" and code > 0x2FF else 600
