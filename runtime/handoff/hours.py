"""Opening hours: whether people are there, by days, times and a time zone."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN: Final = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d\d:\d\d)-(\d\d:\d\d)")
WRITE: Final = 'a list such as ["mon-fri 09:00-17:30", "sat 10:00-13:00"]'


@dataclass(frozen=True, slots=True)
class Span:
    """A time of the day on some days, its end left out. An end not after its begin lies on the next day."""

    days: frozenset[int]
    begin: time
    end: time

    def holds(self, day: int, now: time) -> bool:
        """Whether this time on this day of the week (0: Monday) lies within."""
        if self.begin < self.end:
            return day in self.days and self.begin <= now < self.end
        return (day in self.days and now >= self.begin) or ((day - 1) % 7 in self.days and now < self.end)


@dataclass(frozen=True, slots=True)
class Hours:
    """When people are there. No spans: always, except on the days they are not."""

    spans: tuple[Span, ...] = ()
    zone: ZoneInfo | None = None
    closed_on: frozenset[date] = frozenset()

    def open_at(self, seconds: float) -> bool:
        """Whether they are there at this time (seconds since 1970)."""
        now = datetime.fromtimestamp(seconds, self.zone or ZoneInfo("UTC"))
        if now.date() in self.closed_on:
            return False
        return not self.spans or any(span.holds(now.weekday(), now.time()) for span in self.spans)


def read_spans(value: Any) -> tuple[Span, ...]:
    """Spans of the settings. Raises ValueError, in words."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple):
        raise ValueError(WRITE)
    return tuple(_span(text) for text in texts)


def read_zone(value: Any) -> ZoneInfo | None:
    """A time zone by its name. Raises ValueError, in words."""
    if value == "":
        return None
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise ValueError('a time zone such as "America/New_York"') from None


def read_days(value: Any) -> frozenset[date]:
    """Dates of the settings, as TOML dates or texts. Raises ValueError, in words."""
    try:
        return frozenset(_date(one) for one in value)
    except (TypeError, ValueError):
        raise ValueError('a list of dates such as ["2026-12-25"]') from None


def _date(value: Any) -> date:
    return value if type(value) is date else date.fromisoformat(value)


def _span(text: Any) -> Span:
    match = _SPAN.fullmatch(text.strip().lower()) if isinstance(text, str) else None
    if match is None or not {match[1], match[2] or match[1]} <= set(DAYS):
        raise ValueError(WRITE)
    first, last = DAYS.index(match[1]), DAYS.index(match[2] or match[1])
    days = frozenset((first + step) % 7 for step in range((last - first) % 7 + 1))
    try:
        begin = time.fromisoformat(match[3])
        end = time.min if match[4] == "24:00" else time.fromisoformat(match[4])
    except ValueError:
        raise ValueError(WRITE) from None
    if begin == end and match[4] != "24:00":
        raise ValueError(f"{WRITE}, each with an end after its begin")
    return Span(days, begin, end)
