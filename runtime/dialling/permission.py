"""Permission to call a number: pure, the time and the time zones are handed in.

Laws
1. Nothing is permitted by omission: without consent, or where the time zone is not known, there is no call.
2. Where a number may ring in several time zones, the hours must fit in all of them.
3. Every reason is told at once, as a plain line without the number.
"""

import datetime
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct

Moment = Annotated[datetime.datetime, Meta(tz=True)]


class ConsentError(Exception):
    """A consent record that is none; the message is one plain line that quotes nothing of it."""


class Consent(Struct, frozen=True, forbid_unknown_fields=True):
    """Who agreed to be called by an assistant, when and how. `flow`: for calls of this flow only."""

    id: Annotated[str, Meta(min_length=1, max_length=128)]
    number: Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{4,14}\Z")]
    given_at: Moment
    how: Annotated[str, Meta(min_length=1, max_length=2000)]
    flow: str | None = None
    expires_at: Moment | None = None
    revoked_at: Moment | None = None


@dataclass(frozen=True, slots=True)
class Hours:
    """When phones may ring, by the clock where they are: from `earliest`, before `latest`."""

    earliest: datetime.time
    latest: datetime.time


def read_consent(content: bytes) -> Consent:
    """A consent record from its JSON. Raises ConsentError."""
    try:
        return msgspec.json.decode(content, type=Consent)
    except (msgspec.MsgspecError, RecursionError) as error:
        found = re.search(r"\$\.?[\w.]*", str(error)) if isinstance(error, msgspec.ValidationError) else None
        where = f" ({found.group()})" if found else ""
        raise ConsentError(f"the consent record is none{where}: see schemas/consent.schema.json") from None


def read_numbers(text: str) -> frozenset[str]:
    """The numbers of a do-not-call list: one a line, spaces and what follows a # do not count."""
    lines = (line.partition("#")[0] for line in text.splitlines())
    return frozenset(number for line in lines if (number := "".join(line.split())))


def refusals(
    number: str,
    flow: str,
    consent: Consent | None,
    *,
    now: datetime.datetime,
    hours: Hours,
    zones: Collection[str],
    do_not_call: Collection[str],
) -> tuple[str, ...]:
    """Why this number must not be called now; nothing when it may be."""
    return (
        *_consent_refusals(number, flow, consent, now),
        *(["the number is on the do-not-call list"] if number in do_not_call else []),
        *_hour_refusals(now, hours, zones),
    )


def _consent_refusals(
    number: str, flow: str, consent: Consent | None, now: datetime.datetime
) -> Iterable[str]:
    if consent is None:
        yield "there is no record of consent for this number"
        return
    if consent.number != number:
        yield "the consent is for another number"
    if consent.flow is not None and consent.flow != flow:
        yield "the consent is for another flow"
    if consent.given_at > now:
        yield "the consent is not given yet"
    if consent.expires_at is not None and consent.expires_at <= now:
        yield "the consent has expired"
    if consent.revoked_at is not None:
        yield "the consent was revoked"


def _hour_refusals(now: datetime.datetime, hours: Hours, zones: Collection[str]) -> Iterable[str]:
    if not zones:
        yield "it is not known what time it is where the phone rings"
    for zone in sorted(zones):
        try:
            there = now.astimezone(ZoneInfo(zone)).time()
        except (ZoneInfoNotFoundError, ValueError):
            yield "it is not known what time it is where the phone rings"
            return
        if not hours.earliest <= there < hours.latest:
            told = f"{hours.earliest:%H:%M} to {hours.latest:%H:%M}"
            yield f"it is {there:%H:%M} in {zone}: calls may be placed from {told}"
            return
