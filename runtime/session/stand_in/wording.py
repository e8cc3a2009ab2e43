"""Words as they are compared: case, punctuation and number words made equal. Pure, English only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from runtime.voices import grammar

UNITS = {word: value for value, word in enumerate(grammar.UNITS)}
TENS = {word: 10 * (place + 2) for place, word in enumerate(grammar.TENS)}
SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
DIGITS = {**{word: str(value) for word, value in UNITS.items() if value < 10}, "oh": "0", "o": "0"}
REPEATS = {"double": 2, "triple": 3}
ORDINALS = {word: place + 1 for place, word in enumerate(grammar.ORDINALS[:20])} | {"thirtieth": 30}
APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": " ", "\u201d": " "})


def tokens(text: str) -> list[str]:
    """Lower-case words and numbers without punctuation; `1,000` and `2.5` stay whole, apostrophes vanish."""
    plain = text.translate(APOSTROPHES).casefold().replace("'", "").replace("-", " ")
    plain = re.sub(r"(?<=[0-9]),(?=[0-9]{3}\b)", "", plain)
    return re.findall(r"[0-9]+(?:\.[0-9]+)?|[^\W0-9_]+|[0-9]+", plain)


def normalise(text: str) -> str:
    """The form in which utterances and examples are compared: words in one case, numbers as digits."""
    words = tokens(text)
    out: list[str] = []
    at = 0
    for start, end, value in numbers(words):
        out += [*words[at:start], f"{value:g}" if value < 1e15 else str(int(value))]
        at = end
    return " ".join(out + words[at:])


def contains(words: str, phrase: str) -> bool:
    """Whether a normalised phrase occurs in normalised words, whole."""
    return bool(phrase) and f" {phrase} " in f" {words} "


def numbers(words: Sequence[str]) -> Iterator[tuple[int, int, float]]:
    """Each number in the words, in order: first word, word after the last, value. `a hundred and twenty` is
    one number."""
    at = 0
    while at < len(words):
        end, value = _number_at(words, at)
        if value is None:
            at += 1
        else:
            yield at, end, value
            at = end


def _number_at(words: Sequence[str], at: int) -> tuple[int, float | None]:
    if words[at] in ("dozen",) or (words[at] == "a" and words[at + 1 : at + 2] == ["dozen"]):
        return at + (2 if words[at] == "a" else 1), 12
    if re.fullmatch(r"[0-9]{1,15}(\.[0-9]+)?", words[at]):
        return _scaled(words, at + 1, float(words[at]))
    if words[at] == "a" and words[at + 1 : at + 2] and words[at + 1] in SCALES:
        return _compound(words, at + 1, 1, 0)
    return _compound(words, at, None, 0)


def _scaled(words: Sequence[str], at: int, value: float) -> tuple[int, float]:
    while at < len(words) and words[at] in (*SCALES, "k"):
        value *= SCALES.get(words[at], 1000)
        at += 1
    return at, value


def _compound(words: Sequence[str], at: int, current: int | None, total: int) -> tuple[int, float | None]:
    """Number words from `at`: `current` is the group being read, `total` the groups before it."""
    while at < len(words):
        word = words[at]
        if word in TENS and not (current or 0) % 100:
            current = (current or 0) + TENS[word]
        elif word in UNITS and _fits(current, UNITS[word]):
            current = (current or 0) + UNITS[word]
        elif word == "hundred" and current is not None and current < 100:
            current *= 100
        elif word in ("thousand", "million") and current is not None:
            total, current = total + current * SCALES[word], 0
        elif not (word == "and" and current is not None and _goes_on(words, at, current, total)):
            break
        at += 1
    return at, None if current is None else total + current


def _fits(current: int | None, unit: int) -> bool:
    if current is None or current == 0:
        return True
    return unit > 0 and (current % 100 == 0 or (current % 100 >= 20 and current % 10 == 0 and unit < 10))


def _goes_on(words: Sequence[str], at: int, current: int, total: int) -> bool:
    """Whether the `and` at this place is inside a number: after hundreds or thousands, before a small
    number."""
    follows = words[at + 1] if at + 1 < len(words) else ""
    return (current >= 100 or total > 0) and (follows in UNITS or follows in TENS)


def digit_run(words: Sequence[str]) -> str:
    """The longest run of digits said one by one or written, `double five` included: "555" of `five double
    five`."""
    best = run = ""
    times = 1
    for word in words:
        if word in REPEATS:
            times = REPEATS[word]
            continue
        digit = DIGITS.get(word) or (word if word.isdigit() and word.isascii() else "")
        run, times = (run + digit * times, 1) if digit else ("", 1)
        best = max(best, run, key=len)
    return best
