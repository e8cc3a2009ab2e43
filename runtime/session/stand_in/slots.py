"""Slot values in an utterance: what the brief asks for first, then what can belong to one slot only.

Pure and visible: patterns and word lists, no guessing beyond them. Values come out in the forms of the report
tool's schema (dates YYYY-MM-DD, times HH:MM, telephone numbers with a plus).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from typing import Any

from runtime.session.stand_in.prompt import SlotLine
from runtime.session.stand_in.wording import ORDINALS, contains, digit_run, normalise, numbers, tokens
from runtime.voices import grammar

YES = (
    "yes",
    "yeah",
    "yep",
    "yup",
    "correct",
    "right",
    "thats right",
    "that is right",
    "exactly",
    "sure",
    "okay",
    "ok",
    "i do",
    "of course",
)
NO = (
    "no",
    "nope",
    "nah",
    "wrong",
    "incorrect",
    "thats wrong",
    "not right",
    "that is wrong",
    "i dont",
    "not correct",
    "not quite",
)
CURRENCY = ("dollar", "dollars", "bucks", "euro", "euros", "pound", "pounds", "usd", "eur")
JOINTS = {"dot": ".", "underscore": "_", "dash": "-", "hyphen": "-", "plus": "+"}
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
CLOCK = re.compile(r"\b([01]?[0-9]|2[0-3]):([0-5][0-9])\b(?:\s*([ap])\.?\s?m\b)?", re.IGNORECASE)
TODAY = re.compile(r"today[^\n]{0,40}?([0-9]{4}-[0-9]{2}-[0-9]{2})", re.IGNORECASE)
SURE = (
    "choice",
    "email",
    "phone",
    "money",
    "date",
    "time",
)  # types whose values say themselves what they are


class Utterance:
    """What was said, with the parts that a slot has already claimed taken out."""

    def __init__(self, text: str, today: datetime.date | None) -> None:
        self.text, self.today = text, today
        self.words = tokens(text)
        self.asked = False  # whether the brief asks for the slot that is being looked for

    def claim(self, start: int, end: int) -> None:
        """These words belong to a slot now."""
        self.words[start:end] = ["|"]

    def claim_phrase(self, phrase: str) -> None:
        """The words of this phrase belong to a slot now."""
        wanted = tokens(phrase)
        for start in range(len(self.words) - len(wanted) + 1):
            if self.words[start : start + len(wanted)] == wanted:
                self.claim(start, start + len(wanted))
                return


def today_in(instructions: str) -> datetime.date | None:
    """The date the instructions say it is, if they say so."""
    found = TODAY.search(instructions)
    try:
        return datetime.date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def agreement(text: str) -> bool | None:
    """True for a yes, False for a no, None for neither or both."""
    words = normalise(text)
    yes, no = (any(contains(words, one) for one in listed) for listed in (YES, NO))
    return no is False if yes != no else (False if no and words.split()[0] in NO else None)


def extract(
    text: str, known: Sequence[SlotLine], asked: Sequence[str], today: datetime.date | None
) -> dict[str, Any]:
    """Values by slot name. Slots in `asked` take any value of their type; the others only one that nothing
    else can be."""
    said = Utterance(text, today)
    order = {name: place for place, name in enumerate(READERS)}
    wanted = sorted(
        (slot for slot in known if slot.name in asked),
        key=lambda slot: (order.get(slot.type, 99), asked.index(slot.name)),
    )
    found: dict[str, Any] = {}
    for slot in [*wanted, *(slot for slot in known if slot.name not in asked and _alone(slot, known, found))]:
        reader = READERS.get(slot.type)
        said.asked = slot.name in asked
        value = reader(said, slot) if reader else None
        if value is not None:
            found[slot.name] = value
    return found


def _alone(slot: SlotLine, known: Sequence[SlotLine], found: dict[str, Any]) -> bool:
    """Whether a value of this type can only be meant for this slot."""
    return slot.type in SURE and (
        slot.type == "choice" or sum(other.type == slot.type for other in known) == 1
    )


def _email(said: Utterance, slot: SlotLine) -> str | None:
    if found := EMAIL.search(said.text):
        said.words = tokens(said.text.replace(found[0], " | "))
        return found[0].casefold()
    words = said.words
    for at in range(1, len(words) - 1):
        if words[at] == "at" and (right := _domain(words, at + 1)):
            start, local = _local_part(words, at)
            end, domain = right
            said.claim(start, end)
            return f"{local}@{domain}" if local else None
    return None


def _domain(words: Sequence[str], at: int) -> tuple[int, str] | None:
    name = words[at]
    while at + 2 < len(words) + 0 and words[at + 1] in ("dot", "dash"):
        name += JOINTS[words[at + 1]] + words[at + 2]
        at += 2
    return (at + 1, name) if "." in name else None


def _local_part(words: Sequence[str], at: int) -> tuple[int, str]:
    start = at - 1
    local = words[start]
    while start >= 2 and words[start - 1] in JOINTS:
        local = words[start - 2] + JOINTS[words[start - 1]] + local
        start -= 2
    while start >= 1 and len(words[start]) == 1 and len(words[start - 1]) == 1:  # spelled: d a n a
        start -= 1
        local = words[start] + local
    return start, local


def _phone(said: Utterance, slot: SlotLine) -> str | None:
    written = re.search(r"\+?[0-9][0-9\s().-]{5,}[0-9]", said.text)
    digits = re.sub(r"[^0-9]", "", written[0]) if written else digit_run(said.words)
    if not 7 <= len(digits) <= 15:
        return None
    said.words = [word for word in said.words if not word.isdigit() and not digit_run([word])]
    if written and written[0].startswith("+"):
        return f"+{digits}"
    return f"+1{digits}" if len(digits) == 10 else f"+{digits}"


def _money(said: Utterance, slot: SlotLine) -> float | int | None:
    spoken = list(numbers(said.words))
    for start, end, value in spoken:
        if end < len(said.words) and said.words[end] in CURRENCY:
            said.claim(start, end + 1)
            return _plain(value)
    if spoken and ("$" in said.text or "\u20ac" in said.text or said.asked):
        start, end, value = spoken[0]
        said.claim(start, end)
        return _plain(value)
    return None


def _number(said: Utterance, slot: SlotLine) -> float | int | None:
    for start, end, value in numbers(said.words):
        said.claim(start, end)
        return _plain(value) if slot.type == "number" else int(value)
    return None


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _digits(said: Utterance, slot: SlotLine) -> str | None:
    keys = re.sub(r"[^0-9*#]", "", said.text)
    return digit_run(said.words) or keys or None


def _choice(said: Utterance, slot: SlotLine) -> str | None:
    """The choice with the longest phrase that was said; two choices said with equal weight are no answer.

    Unasked, a single word is too little: "later" may mean anything.
    """
    words = normalise(" ".join(said.words))
    found: dict[str, str] = {}
    for value, phrases in slot.choices:
        heard = [
            phrase for phrase in (*phrases, value.replace("_", " ")) if contains(words, normalise(phrase))
        ]
        heard = [phrase for phrase in heard if said.asked or len(tokens(phrase)) > 1]
        if heard:
            found[value] = max(heard, key=lambda phrase: len(normalise(phrase)))
    ranked = sorted(found.items(), key=lambda one: -len(normalise(one[1])))
    if not ranked or (len(ranked) > 1 and len(normalise(ranked[0][1])) == len(normalise(ranked[1][1]))):
        return None
    said.claim_phrase(ranked[0][1])
    return ranked[0][0]


def _boolean(said: Utterance, slot: SlotLine) -> bool | None:
    return agreement(" ".join(said.words))


def _date(said: Utterance, slot: SlotLine) -> str | None:
    if found := re.search(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b", said.text):
        said.words = tokens(said.text.replace(found[0], " | "))
        return found[0]
    if said.today is None:
        return None
    day = _relative(said.words, said.today) or _month_day(said, said.today)
    return day.isoformat() if day else None


def _relative(words: Sequence[str], today: datetime.date) -> datetime.date | None:
    after = {"today": 0, "tomorrow": 1}
    for place, word in enumerate(words):
        if word == "tomorrow" and place >= 3 and list(words[place - 3 : place]) == ["day", "after", "|"]:
            return None
        if word in after:
            return today + datetime.timedelta(
                days=after[word] + (word == "tomorrow" and contains(" ".join(words), "day after tomorrow"))
            )
        if word in grammar.WEEKDAYS:
            return today + datetime.timedelta(
                days=(grammar.WEEKDAYS.index(word) - today.weekday() - 1) % 7 + 1
            )
    return None


def _month_day(said: Utterance, today: datetime.date) -> datetime.date | None:
    month = next((word for word in said.words if word in grammar.MONTHS), None)
    spelled = next((ORDINALS[word] for word in said.words if word in ORDINALS), None)
    number = next((int(value) for _, _, value in numbers(said.words) if 1 <= value <= 31), None)
    day = (number + spelled if number in (20, 30) and spelled else spelled) if spelled else number
    if month is None or day is None:
        return None
    try:
        found = datetime.date(today.year, grammar.MONTHS.index(month) + 1, day)
        return found if found >= today else found.replace(year=today.year + 1)
    except ValueError:
        return None


def _time(said: Utterance, slot: SlotLine) -> str | None:
    if found := CLOCK.search(said.text):
        said.words = tokens(said.text.replace(found[0], " | "))
        return _clock(int(found[1]), int(found[2]), (found[3] or "").casefold(), exact=found[3] is None)
    words = " ".join(said.words)
    for word, value in (("noon", "12:00"), ("midday", "12:00"), ("midnight", "00:00")):
        if contains(words, word):
            return value
    return _spoken_time(said)


def _spoken_time(said: Utterance) -> str | None:
    spoken = [one for one in numbers(said.words) if 0 <= one[2] < 24 and one[2] == int(one[2])]
    if not spoken:
        return None
    start, end, hour = spoken[0]
    minute = next((int(value) for first, _, value in numbers(said.words) if first == end and value < 60), 0)
    rest = said.words[end + (1 if minute else 0) :]
    half = (
        "".join(rest[:2])[:2]
        if rest[:1] in (["a"], ["p"])
        else (rest[0] if rest[:1] in (["am"], ["pm"]) else "")
    )
    if said.words[max(0, start - 2) : start] == ["half", "past"]:
        minute = 30
    marked = bool(half) or rest[:2] in (["o", "clock"], ["oclock"]) or rest[:1] == ["oclock"] or minute == 30
    return _clock(int(hour), minute, half[:1], exact=False) if marked or said.asked else None


def _clock(hour: int, minute: int, half: str, *, exact: bool) -> str | None:
    """24-hour form; an hour without am or pm is taken in office hours (one to seven: afternoon)."""
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    elif not exact and 1 <= hour <= 7:
        hour += 12
    return f"{hour:02d}:{minute:02d}" if hour < 24 else None


READERS: dict[str, Callable[[Utterance, SlotLine], Any]] = {
    "email": _email,
    "phone": _phone,
    "money": _money,
    "date": _date,
    "time": _time,
    "choice": _choice,
    "digits": _digits,
    "integer": _number,
    "number": _number,
    "boolean": _boolean,
}
