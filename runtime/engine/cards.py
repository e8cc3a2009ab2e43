"""Payment card numbers in text: told by their issuer's prefix, their length and their check digit, and taken
out.

A number is found however it is written: in one run, in groups, digit by digit, or as the words for its
digits (English, Spanish). Lengths and prefixes are the issuers' own (ISO/IEC 7812), the check digit Luhn's.
"""

import re
from collections.abc import Iterator
from typing import Final

WITHHELD: Final = "(card number withheld)"
_FEWEST, _MOST = 13, 19
# prefix from, to (inclusive, as many digits as written), and the lengths its numbers have
_ISSUERS: Final = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("6011", "6011", (16, 17, 18, 19)),  # Discover
    ("644", "659", (16, 17, 18, 19)),
    ("3528", "3589", (16, 17, 18, 19)),  # JCB
    ("300", "305", (14, 15, 16, 17, 18, 19)),  # Diners Club
    ("36", "36", (14, 15, 16, 17, 18, 19)),
    ("38", "39", (14, 15, 16, 17, 18, 19)),
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("50", "50", (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    ("56", "58", (13, 14, 15, 16, 17, 18, 19)),
    ("63", "63", (16, 17, 18, 19)),
    ("67", "67", (13, 14, 15, 16, 17, 18, 19)),
)
_WORDS: Final = {
    word: str(digit)
    for digit, words in enumerate(
        (
            "zero oh o cero",
            "one uno",
            "two dos",
            "three tres",
            "four cuatro",
            "five cinco",
            "six seis",
            "seven siete",
            "eight ocho",
            "nine nueve",
        )
    )
    for word in words.split()
}
_TIMES: Final = {"double": 2, "doble": 2, "triple": 3}
_COUNTED: Final = [word for word in (*_WORDS, *_TIMES) if len(word) > 1]
_PIECE: Final = rf"(?:\d|\b(?:{'|'.join([*_WORDS, *_TIMES])})\b)"
_BETWEEN: Final = r"[\s\-.,/]{0,3}"
_RUN: Final = re.compile(rf"{_PIECE}(?:{_BETWEEN}{_PIECE})+", re.IGNORECASE)
_PARTS: Final = re.compile(_PIECE, re.IGNORECASE)
# Cheap, and false for nearly every text: nothing without a dozen digits or words for them is looked into.
_MAYBE: Final = re.compile(r"(?:\d[^\d]{0,3}){12}\d")


def is_card(digits: str) -> bool:
    """Whether these digits are a card's number."""
    return (
        digits.isascii()
        and digits.isdigit()
        and any(
            len(digits) in lengths and low <= digits[: len(low)] <= high for low, high, lengths in _ISSUERS
        )
        and _checks(digits)
    )


def masked(text: str) -> str:
    """The text with every card number in it taken out."""
    if len(text) < _FEWEST or not (_MAYBE.search(text) or _spoken(text)):
        return text
    return _RUN.sub(lambda run: _without(run.group()), text)


def _spoken(text: str) -> bool:
    low = text.lower()
    return sum(low.count(word) for word in _COUNTED) > 5


def _without(run: str) -> str:
    """A run of digits without the card numbers in it, whatever stands before and after them. Digits written
    in one go stay together: no part of a longer number is a card.
    """
    pieces = list(_pieces(run))
    glued = {n for n, one in enumerate(pieces[1:], 1) if pieces[n - 1][2] == one[1]}
    out, done, first = "", 0, 0
    while first < len(pieces):
        last = _card_end(pieces, glued, first) if first not in glued else 0
        if last:
            out += run[done : pieces[first][1]] + WITHHELD
            done, first = pieces[last - 1][2], last
        else:
            first += 1
    return out + run[done:]


def _card_end(pieces: list[tuple[str, int, int]], glued: set[int], first: int) -> int:
    """The piece after the longest card number that begins with this one; 0: none does."""
    digits, found = "", 0
    for n, (digit, _, _) in enumerate(pieces[first:], first + 1):
        digits += digit
        if len(digits) > _MOST:
            break
        if n not in glued and is_card(digits):
            found = n
    return found


def _pieces(run: str) -> Iterator[tuple[str, int, int]]:
    """The digits a run is made of, each with its place; "double four" is two."""
    times, start = 1, -1
    for found in _PARTS.finditer(run):
        word = found.group().lower()
        if word in _TIMES:
            times, start = _TIMES[word], found.start()
            continue
        digit = _WORDS.get(word, word)
        yield digit * times, found.start() if start < 0 else start, found.end()
        times, start = 1, -1


def _checks(digits: str) -> bool:
    """Luhn's check digit: every second digit from the right doubled, the sum a multiple of ten."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
