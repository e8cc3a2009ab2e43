"""From likely phrases to a grammar for a recogniser: JSGF text, the words it needs, and whether a sentence is
whole.

Pure. `<number>`, `<digits>`, `<date>`, `<time>` and `<email>` in a phrase stand for anything of that kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
    "thirtieth",
]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
DIGITS = [*UNITS[:10], "oh", "double"]
LETTERS = list("abcdefghijklmnopqrstuvwxyz")
DOMAINS = ["example", "gmail", "outlook", "hotmail", "yahoo", "company"]
ENDINGS = ["com", "org", "net", "edu"]

KINDS: dict[str, str] = {
    "digits": f"({' | '.join(DIGITS)})+",
    "small": f"{' | '.join(UNITS[1:])} | ({' | '.join(TENS)}) [{' | '.join(UNITS[1:10])}]",
    # Round numbers above a hundred and no more: every further freedom makes nonsense sound like a number.
    "number": (
        f"zero | <small> | (a | {' | '.join(UNITS[1:10])}) hundred [[and] <small>] | (a | <small>) thousand"
    ),
    "ordinal": f"{' | '.join(ORDINALS)} | (twenty | thirty) ({' | '.join(ORDINALS[:9])})",
    "date": (
        f"today | tomorrow | [next | this] ({' | '.join(WEEKDAYS)}) | ({' | '.join(MONTHS)}) <ordinal>"
        f" | the <ordinal> of ({' | '.join(MONTHS)})"
    ),
    "time": (
        f"noon | midnight | half past ({' | '.join(UNITS[1:13])})"
        f" | ({' | '.join(UNITS[1:13])}) [fifteen | thirty | forty five] [o'clock | a m | p m]"
    ),
    "email": f"({' | '.join(LETTERS)})+ at ({' | '.join(DOMAINS)}) dot ({' | '.join(ENDINGS)})",
}
MARK = re.compile(r"<(\w+)>")
WORD = re.compile(r"[a-z']+|<\w+>|\d+")


def words_of(phrase: str) -> list[str]:
    """The words of a phrase as they are said: lower case, numbers spelled out, marks kept."""
    plain = phrase.replace("\u2019", "'").replace("-", " ").casefold()
    out: list[str] = []
    for word in WORD.findall(plain):
        out += spell(int(word)) if word.isdigit() else [word.strip("'") or word]
    return [word for word in out if word != "'"]


def spell(number: int) -> list[str]:
    """A whole number in words: 1250 is one thousand two hundred fifty. Beyond a million, digit by digit."""
    if number < 20:
        return [UNITS[number]]
    if number < 100:
        return [TENS[number // 10 - 2], *(spell(number % 10) if number % 10 else [])]
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if size <= number < 1_000_000:
            return [*spell(number // size), name, *(spell(number % size) if number % size else [])]
    return [UNITS[int(digit)] for digit in str(number)]


def usable(phrases: Iterable[str], known: Callable[[str], bool]) -> tuple[list[str], list[str]]:
    """The phrases (as said) whose every word the recogniser knows, and the words that it does not."""
    kept, missing = [], []
    for words in filter(None, map(words_of, phrases)):
        unknown = [word for word in words if not _is_mark(word) and not known(word)]
        missing += unknown
        if not unknown:
            kept.append(" ".join(words))
    return list(dict.fromkeys(kept)), list(dict.fromkeys(missing))


def _is_mark(word: str) -> bool:
    return word.startswith("<") and word[1:-1] in KINDS


def jsgf(phrases: Sequence[str]) -> str:
    """A grammar of exactly these phrases, with a rule for every kind."""
    rules = "".join(f"<{name}> = {body};\n" for name, body in KINDS.items())
    return f"#JSGF V1.0;\ngrammar turn;\n{rules}public <turn> = {' | '.join(phrases)};\n"


def matched(sentence: str, phrases: Sequence[str]) -> str | None:
    """The phrase of which a recognised sentence is the whole, a literal one first; None if it is only a
    beginning (what a decoder returns that got stuck)."""
    if sentence in phrases:
        return sentence
    return next((phrase for phrase in phrases if re.fullmatch(_pattern(phrase), sentence)), None)


def is_open(phrase: str) -> bool:
    """Whether a phrase has a mark in it, so that much fits it."""
    return MARK.search(phrase) is not None


def _pattern(phrase: str) -> str:
    return " ".join(r"[a-z']+(?: [a-z']+)*" if _is_mark(word) else re.escape(word) for word in phrase.split())
