"""Values from outside, made safe: slot values a model reports, facts a CRM sends, results an action returns.

Nothing is trusted: a value either fits its declared type exactly, after harmless normalisation ("50" for 50),
or it is refused.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any, Final

from runtime.engine.events import Scalar
from voiceflow_compiler.artifact import Fact, Slot, ValueType

MAX_TEXT: Final = 500
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,5}")
_PHONE = re.compile(r"\+?[0-9]{3,15}")
_DIGITS = re.compile(r"[0-9*#]{1,64}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,9})?")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\u0080-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Text as one line: control and invisible characters become a space, ends trimmed, capped at `limit`
    characters.
    """
    if not text.isprintable():  # the common case needs no search
        text = _UNSAFE.sub(" ", text)
    return text.strip()[:limit]


def slot_value(slot: Slot, raw: Any) -> Scalar | None:
    """The value in the slot's type, or None where it does not fit."""
    fitted = _fit(slot.type, raw, slot.choices)
    if fitted is None:
        return None
    if isinstance(fitted, str):
        length = len(fitted)
        short = slot.min_length is not None and length < slot.min_length
        long = slot.max_length is not None and length > slot.max_length
        return None if short or long else fitted
    if isinstance(fitted, bool):
        return fitted
    low = slot.minimum is not None and fitted < slot.minimum
    high = slot.maximum is not None and fitted > slot.maximum
    return None if low or high else fitted


def fact_value(fact: Fact, raw: Any) -> Scalar | None:
    """The value in the fact's type, or None where it does not fit."""
    return _fit(fact.type, raw, fact.choices)


def result_values(returns: Mapping[str, ValueType], raw: Mapping[str, Any]) -> dict[str, Scalar] | None:
    """What an action returned, field by field in the declared types; None when a declared field is missing or
    does not fit.
    """
    fitted = {name: _fit(kind, raw.get(name), ()) for name, kind in returns.items()}
    return (
        None if None in fitted.values() else {name: each for name, each in fitted.items() if each is not None}
    )


def _fit(kind: ValueType, raw: Any, choices: tuple[str, ...]) -> Scalar | None:
    if kind == "choice":
        text = clean(raw) if isinstance(raw, str) else ""
        return text if text in choices or (text and not choices) else None
    return _FITS[kind](raw)


def _text(raw: Any) -> str | None:
    return (clean(raw) or None) if isinstance(raw, str) else None


def _number(raw: Any) -> float | None:
    if isinstance(raw, bool):
        return None
    if isinstance(raw, str) and _NUMBER.fullmatch(raw.strip()):
        raw = float(raw.strip())
    if isinstance(raw, (int, float)) and abs(raw) < 1e15 and math.isfinite(raw):
        return raw
    return None


def _integer(raw: Any) -> int | None:
    number = _number(raw)
    return int(number) if number is not None and number == int(number) else None


def _boolean(raw: Any) -> bool | None:
    if isinstance(raw, bool):
        return raw
    return (
        {"true": True, "yes": True, "false": False, "no": False}.get(raw.strip().lower())
        if isinstance(raw, str)
        else None
    )


def _pattern(pattern: re.Pattern[str], drop: str = "") -> Callable[[Any], str | None]:
    """Text that matches the whole pattern, once the characters in `drop` are taken out."""
    without = str.maketrans("", "", drop)

    def fit(raw: Any) -> str | None:
        text = clean(raw).translate(without) if isinstance(raw, str) else ""
        return text if pattern.fullmatch(text) else None

    return fit


def _iso(read: Callable[[str], date | time], show: Callable[[Any], str]) -> Callable[[Any], str | None]:
    """ISO 8601 text that is a real date or time, in its shortest form."""

    def fit(raw: Any) -> str | None:
        try:
            return show(read(raw.strip())) if isinstance(raw, str) and len(raw) < 40 else None
        except ValueError:
            return None

    return fit


_FITS: dict[str, Callable[[Any], Scalar | None]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "money": _number,
    "boolean": _boolean,
    "date": _iso(date.fromisoformat, lambda day: str(day.isoformat())),
    "time": _iso(time.fromisoformat, lambda moment: str(moment.strftime("%H:%M"))),
    "phone": _pattern(_PHONE, drop=" -().\t"),
    "email": _pattern(_EMAIL, drop=" "),
    "digits": _pattern(_DIGITS, drop=" -"),
}
