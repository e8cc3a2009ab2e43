"""Telephone numbers as people and systems write them, and the one form they are compared in (E.164)."""

import hashlib
import hmac
import re
from typing import Final

import phonenumbers
from phonenumbers import timezone

_WRITTEN: Final = re.compile(r"\+?[0-9][0-9\s().\-/\u2010-\u2015\u00a0]{2,40}|\(\s?[0-9][0-9\s().\-/]{2,40}")
_WHOLE: Final = re.compile(r"\+[1-9][0-9]{7,14}")


def normalise(number: str, country_code: str = "") -> str | None:
    """A number as E.164 (`+15005550006`), or None when it is none.

    `country_code` (`1`, `49`) is the country of numbers written without one; without it such numbers are
    none. An extension, letters and digits of other scripts make it none: a wrong guess reads out the facts of
    somebody else.
    """
    text = number.strip()
    if _WHOLE.fullmatch(text):  # what carriers and most systems send; a table of them is read fast
        return text
    if _WRITTEN.fullmatch(text) is None:
        return None
    if text.startswith("00"):
        text = "+" + text[2:]
    region = _region(country_code)
    if region is None and not text.startswith("+"):
        return None
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def time_zones(number: str) -> frozenset[str]:
    """The time zones in which an E.164 number may ring, by their IANA names; none where that is not known."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return frozenset()
    return frozenset(timezone.time_zones_for_number(parsed)) - {timezone.UNKNOWN_TIMEZONE}


def national(number: str) -> str:
    """The digits of an E.164 number without its country: how many systems keep it."""
    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return number.lstrip("+")


def spellings(number: str) -> tuple[str, ...]:
    """How an E.164 number may stand in a system that keeps text: E.164, its digits, and the usual printed
    forms of its country. Each once, the surest first.
    """
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return (number,)
    forms = phonenumbers.PhoneNumberFormat
    written = [
        phonenumbers.format_number(parsed, form) for form in (forms.E164, forms.INTERNATIONAL, forms.NATIONAL)
    ]
    return tuple(dict.fromkeys([written[0], written[0][1:], national(number), *written[1:]]))


def _region(country_code: str) -> str | None:
    code = country_code.lstrip("+")
    if not code.isascii() or not code.isdigit():
        return None
    region = phonenumbers.region_code_for_country_code(int(code))
    return None if region in ("ZZ", "001") else region


def pseudonym(number: str | None, key: str) -> str:
    """A number as a log may hold it: the same for the same number under one key, and its last two digits; ""
    for a withheld one.
    """
    if not number:
        return ""
    return f"{hmac.new(key.encode(), number.encode(), hashlib.sha256).hexdigest()[:12]}-{number[-2:]}"
