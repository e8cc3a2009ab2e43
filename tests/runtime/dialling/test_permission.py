import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import schemas
from runtime.dialling import ConsentError, Hours, read_consent, read_numbers, refusals
from runtime.numbers import time_zones

NUMBER, FLOW = "+12025550123", "lead-qualification"
GIVEN = {"id": "c-1", "number": NUMBER, "given_at": "2026-10-01T10:00:00Z", "how": "web form, box 2"}
HOURS = Hours(datetime.time(8), datetime.time(21))
NOON = datetime.datetime(2026, 11, 22, 17, 0, tzinfo=datetime.UTC)  # noon in New York


def why(now: datetime.datetime = NOON, number: str = NUMBER, **changed: object) -> tuple[str, ...]:
    consent = read_consent(json.dumps(GIVEN | changed).encode())
    return refusals(
        number, FLOW, consent, now=now, hours=HOURS, zones=time_zones(number), do_not_call=frozenset()
    )


def test_a_consented_call_at_noon_may_be_placed() -> None:
    """With consent for this number, at an hour the phone may ring, nothing stands against the call."""
    assert why() == ()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"number": "+12025550199"}, "another number"),
        ({"flow": "other"}, "another flow"),
        ({"given_at": "2027-01-01T00:00:00Z"}, "not given yet"),
        ({"expires_at": "2026-11-01T00:00:00Z"}, "expired"),
        ({"revoked_at": "2026-11-21T00:00:00+01:00"}, "revoked"),
    ],
)
def test_a_consent_that_does_not_hold_is_told(changed: dict, told: str) -> None:
    """Each way a consent fails is one plain line without the number."""
    lines = why(**changed)
    assert len(lines) == 1
    assert told in lines[0]
    assert NUMBER not in lines[0]


def test_no_consent_no_call() -> None:
    """Without a record there is no call."""
    told = refusals(
        NUMBER, FLOW, None, now=NOON, hours=HOURS, zones=time_zones(NUMBER), do_not_call=frozenset()
    )
    assert told == ("there is no record of consent for this number",)


@pytest.mark.parametrize(
    ("clock", "may"), [("12:59", False), ("13:00", True), ("01:59", True), ("02:00", False), ("07:00", False)]
)
def test_the_hours_are_those_where_the_phone_rings(clock: str, may: bool) -> None:
    """8:00 to 21:00 in New York is 13:00 to 2:00 UTC in winter; the end is not part of it."""
    now = datetime.datetime.fromisoformat(f"2026-11-22T{clock}:00+00:00")
    assert (why(now) == ()) == may


def test_a_number_of_many_zones_waits_for_all_of_them() -> None:
    """A toll-free number may ring in Hawaii and in Guam: no hour fits, and the call is not placed."""
    number = "+18005550100"
    assert any("calls may be placed from" in line for line in why(number=number))


def test_an_unknown_place_is_refused() -> None:
    """Where the time is not known there is no call."""
    consent = read_consent(json.dumps(GIVEN).encode())
    for zones in ((), ("Mars/Olympus",)):
        told = refusals(NUMBER, FLOW, consent, now=NOON, hours=HOURS, zones=zones, do_not_call=())
        assert told == ("it is not known what time it is where the phone rings",)


def test_the_do_not_call_list_wins_over_consent() -> None:
    """A number on the list is never called; spaces and remarks in the list do not hide it."""
    consent = read_consent(json.dumps(GIVEN).encode())
    never = read_numbers("# asked by post\n+1 202 555 0123  # 2026-10-03\n\n+15005550006\n")
    told = refusals(NUMBER, FLOW, consent, now=NOON, hours=HOURS, zones=time_zones(NUMBER), do_not_call=never)
    assert told == ("the number is on the do-not-call list",)


@given(st.binary(max_size=200))
def test_what_is_no_consent_is_told_so(content: bytes) -> None:
    """Any bytes are a consent or one plain line."""
    try:
        told = str(read_consent(content).id)
    except ConsentError as error:
        told = str(error)
    assert "\n" not in told


@pytest.mark.parametrize(
    "changed", [{}, {"number": "0123"}, {"extra": 1}, {"given_at": "2026-10-01"}, {"id": ""}]
)
def test_the_schema_and_the_reader_agree(changed: dict) -> None:
    """What the schema takes for a consent the reader takes, and nothing else."""
    told = GIVEN | changed
    checker = Draft202012Validator.FORMAT_CHECKER
    fits = Draft202012Validator(json.loads(schemas.read("consent")), format_checker=checker)
    try:
        read_consent(json.dumps(told).encode())
        taken = True
    except ConsentError:
        taken = False
    assert taken == (fits.is_valid(told) and "T" in str(told["given_at"]))
